// Dark or light: as the system has it, until the button of the bar says otherwise. Runs before the page is
// drawn, so that none flashes in the other colours.
{
  const root = document.documentElement;
  const KEY = 'colour-scheme';
  const isDark = () => (root.dataset.scheme
    ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')) === 'dark';
  try {
    const kept = localStorage.getItem(KEY);
    if (kept === 'dark' || kept === 'light') root.dataset.scheme = kept;
  } catch {
    // A browser that keeps nothing follows the system.
  }
  const change = () => {
    root.dataset.scheme = isDark() ? 'light' : 'dark';
    try {
      localStorage.setItem(KEY, root.dataset.scheme);
    } catch {
      // The choice lasts for this page.
    }
    root.dispatchEvent(new CustomEvent('scheme', { bubbles: true }));
  };
  document.addEventListener('click', ({ target }) => {
    if (target.closest('[data-scheme-switch]')) change();
  });
}
