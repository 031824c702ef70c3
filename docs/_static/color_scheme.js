/* Dark mode follows the system until the reader chooses; the choice is kept in this browser.
   Stands in the head behind the dark styles, and sets for which media they hold before anything is drawn. */
(() => {
  "use strict";
  const KEY = "color-scheme";
  const FOLLOW = "screen and (prefers-color-scheme: dark)";
  const system = matchMedia("(prefers-color-scheme: dark)");
  const systemScheme = () => (system.matches ? "dark" : "light");

  const chosen = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // storage is forbidden: the system decides
    }
  };
  const choose = (scheme) => {
    try {
      if (scheme === systemScheme()) localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, scheme);
    } catch {
      // it holds for this page only
    }
  };
  const apply = (scheme) => {
    const media = { dark: "screen", light: "not all" }[scheme] ?? FOLLOW;
    document.querySelector('style[data-scheme="dark"]').media = media;
  };
  const current = () => chosen() ?? systemScheme();

  apply(chosen());
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.querySelector(".scheme-switch");
    if (!button) return;
    const show = () => button.setAttribute("aria-pressed", String(current() === "dark"));
    button.hidden = false;
    show();
    button.addEventListener("click", () => {
      const scheme = button.getAttribute("aria-pressed") === "true" ? "light" : "dark";
      choose(scheme);
      apply(scheme === systemScheme() ? null : scheme);
      button.setAttribute("aria-pressed", String(scheme === "dark"));
    });
    system.addEventListener("change", show);
  });
})();
