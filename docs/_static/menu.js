/* The menu: folds what a page has below it, follows the section that is read, opens on a phone.

   In place of the theme's script, which does the same with jQuery, three times the size of all other scripts. */
"use strict";

(() => {
  const { fold } = document.currentScript.dataset;
  const levels = (link) => {
    const found = [];
    for (let item = link?.closest("li"); item; item = item.parentElement.closest("li")) found.push(item);
    return found;
  };

  const addFolds = (menu) => {
    for (const link of menu.querySelectorAll("li > a:has(+ ul)")) {
      const button = document.createElement("button");
      Object.assign(button, { className: "toctree-expand", ariaLabel: fold });
      button.addEventListener("click", (event) => {
        event.preventDefault();
        link.parentElement.classList.toggle("current");
        tell(menu);
      });
      link.prepend(button);
    }
  };
  const tell = (menu) => {
    for (const button of menu.querySelectorAll(".toctree-expand")) {
      button.ariaExpanded = String(button.closest("li").classList.contains("current"));
    }
  };

  /* The section that the address names, and what it is in. */
  const follow = (menu) => {
    const links = [...menu.querySelectorAll(`li.current a[href^="#"]`)];
    const hash = decodeURIComponent(location.hash);
    const section = hash && document.getElementById(hash.slice(1))?.closest("section");
    const link = links.find((each) => each.hash && decodeURIComponent(each.hash) === (section ? `#${section.id}` : hash));
    const current = link ?? menu.querySelector("li.current > a.current");
    menu.querySelectorAll("li.toctree-l1 .current").forEach((item) => item.classList.remove("current"));
    [...levels(current), current].forEach((item) => item?.classList.add("current"));
    tell(menu);
    current?.scrollIntoView({ block: "nearest" });
  };

  document.addEventListener("DOMContentLoaded", () => {
    const menu = document.querySelector(".wy-menu-vertical");
    const shifted = document.querySelectorAll('[data-toggle="wy-nav-shift"]');
    addFolds(menu);
    follow(menu);
    addEventListener("hashchange", () => follow(menu));
    document.querySelector(".menu-button").addEventListener("click", () => {
      shifted.forEach((part) => part.classList.toggle("shift"));
    });
    menu.addEventListener("click", ({ target }) => {
      if (target.matches('a[href^="#"]')) shifted.forEach((part) => part.classList.remove("shift"));
    });
  });
})();
