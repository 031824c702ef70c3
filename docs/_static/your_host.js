/* What a reader chose for his host, once: kept in this browser, where sphinx-design's tabs keep theirs.
   Stands in the head, so that a cell has his model before anything is drawn. */
(() => {
  "use strict";
  const KEY = "sphinx-design-tab-id-"; // its tabs look here, by the name of their group
  const NAMES = document.currentScript.dataset.choices.split(" ");
  const page = document.documentElement;

  const kept = (name) => {
    try {
      return localStorage.getItem(KEY + name) ?? "";
    } catch {
      return ""; // storage is forbidden: a choice holds for this page only
    }
  };
  const keep = (name, value) => {
    try {
      if (value) localStorage.setItem(KEY + name, value);
      else localStorage.removeItem(KEY + name);
    } catch {
      // as above
    }
  };
  const show = (name, value) => page.setAttribute(`data-your-${name}`, value);

  const mark = (name, value) => {
    for (const about of document.querySelectorAll(`[class*="for-${name}-"]`)) {
      about.classList.toggle("yours", about.classList.contains(`for-${name}-${value}`));
    }
  };
  const openTabs = (name, value) => {
    for (const label of document.querySelectorAll(`.sd-tab-label[data-sync-group="${name}"]`)) {
      if (label.dataset.syncId === value) document.getElementById(label.htmlFor).checked = true;
    }
  };
  const selectOf = (name) => document.querySelector(`.your-host select[name="${name}"]`);
  const summarise = () => {
    const chosen = NAMES.map(selectOf).filter((select) => select.value).map((select) => select.selectedOptions[0].text);
    document.querySelector(".your-host .chosen").textContent = chosen.join(" · ");
  };

  const choose = (name, value) => {
    selectOf(name).value = value;
    keep(name, selectOf(name).value); // a value that is no longer offered is forgotten
    show(name, selectOf(name).value);
    mark(name, value);
    openTabs(name, value);
    summarise();
  };

  NAMES.forEach((name) => show(name, kept(name)));
  document.addEventListener("DOMContentLoaded", () => {
    document.querySelector(".your-host").hidden = false;
    NAMES.forEach((name) => choose(name, kept(name)));
    document.addEventListener("change", ({ target }) => {
      if (target.closest(".your-host")) choose(target.name, target.value);
      const { syncGroup, syncId } = target.nextElementSibling?.dataset ?? {};
      if (target.type === "radio" && NAMES.includes(syncGroup)) choose(syncGroup, syncId);
    });
  });
})();
