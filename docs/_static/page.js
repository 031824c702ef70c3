/* Small things a page can not do without a script; it can be read without them. */
"use strict";

/* What scrolls inside itself shall scroll by keyboard as well. */
const reachable = () => {
  document.querySelectorAll("pre, .wy-table-responsive, .cell_output .output").forEach((box) => {
    if (box.scrollWidth > box.clientWidth && getComputedStyle(box).overflowX !== "visible") box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  });
};

/* The language switch stays at the same place: section of a page, query of a search. */
const keepPlace = () => {
  document.querySelectorAll("a.language").forEach((link) => {
    link.addEventListener("click", () => {
      link.search = location.search;
      link.hash = location.hash;
    });
  });
};

/* On a phone a cell of a wide table stands alone: it says the heading of its column (guide.css). */
const nameCells = () => {
  document.querySelectorAll("table.docutils:not(.verification)").forEach((table) => {
    const heads = [...(table.tHead?.rows[0].cells ?? [])].map((head) => head.textContent.trim());
    if (heads.length < 3) return;
    table.classList.add("stacks");
    for (const row of table.tBodies[0].rows) [...row.cells].forEach((cell, column) => (cell.dataset.head = heads[column]));
  });
};

/* A folded output opens when the address or a search leads into it. */
const openFolds = () => {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const found = [...document.querySelectorAll("details .highlighted"), ...(target ? [target] : [])];
  found.forEach((element) => {
    for (let fold = element.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  });
};

/* On a phone the menu is opened by a button, and closed by Escape. */
const menuState = () => {
  const button = document.querySelector(".menu-button");
  const menu = document.querySelector(".wy-nav-side");
  new MutationObserver(() => button.setAttribute("aria-expanded", String(menu.classList.contains("shift")))).observe(
    menu,
    { attributeFilter: ["class"] },
  );
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.classList.contains("shift")) return;
    button.click();
    button.focus();
  });
};

document.addEventListener("DOMContentLoaded", () => {
  keepPlace();
  nameCells();
  menuState();
  setTimeout(openFolds, 50); // Sphinx marks what a search found 10 ms after the page is ready
});
addEventListener("load", () => {
  reachable();
  const main = document.querySelector('[role="main"]');
  new MutationObserver(reachable).observe(main, { childList: true, subtree: true }); // the theme boxes tables later
});
addEventListener("resize", reachable);
