//! The beginning: draws the app where the server has drawn its frame.

import { App } from './app.js';
import { html, render } from './preact.js';

render(html`<${App} />`, document.getElementById('app'));
