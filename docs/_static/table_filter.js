/* Above a table of class "filtered": a box that hides the rows without the words typed into it, and a choice for each
   column that holds few different texts.  Without a script the table is whole. */
"use strict";

(() => {
  const { words, all } = document.currentScript.dataset;
  const FEW = 6;

  const textsOf = (rows, column) => [...new Set(rows.map((row) => row.cells[column].textContent.trim()))];

  const choiceOf = (title, texts) => {
    const choice = document.createElement("select");
    choice.ariaLabel = title;
    choice.append(new Option(`${title}: ${all}`, ""), ...texts.map((text) => new Option(text, text)));
    return choice;
  };

  const addFilter = (table) => {
    const rows = [...table.tBodies[0].rows];
    const typed = document.createElement("input");
    Object.assign(typed, { type: "search", placeholder: words, ariaLabel: words });
    const choices = [...table.tHead.rows[0].cells].flatMap((head, column) => {
      const texts = textsOf(rows, column);
      return texts.length > 1 && texts.length <= FEW ? [{ column, box: choiceOf(head.textContent.trim(), texts) }] : [];
    });
    const count = document.createElement("output");
    const filter = () => {
      const wanted = typed.value.toLowerCase().split(/\s+/);
      rows.forEach((row) => {
        const said = row.textContent.toLowerCase();
        const chosen = choices.every(({ column, box }) => !box.value || row.cells[column].textContent.trim() === box.value);
        row.hidden = !(chosen && wanted.every((word) => said.includes(word)));
      });
      count.textContent = `${rows.filter((row) => !row.hidden).length}/${rows.length}`;
    };
    const form = document.createElement("form");
    form.className = "table-filter";
    form.append(typed, ...choices.map(({ box }) => box), count);
    form.addEventListener("input", filter);
    form.addEventListener("submit", (event) => event.preventDefault());
    table.before(form);
    filter();
  };

  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("table.filtered").forEach(addFilter));
})();
