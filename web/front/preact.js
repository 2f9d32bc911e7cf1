//! Preact with htm, from the one vendored file: modules name it here only.

export {
  html, render, useEffect, useLayoutEffect, useMemo, useRef, useState,
} from '../vendor/htm/preact/standalone.module.js';
