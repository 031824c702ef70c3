/* Asks the index of sections (search_index.js): which section answers the question, of which page.

   A question becomes concepts: a word, or words that mean the same.  A section's score is BM25 over them; its page's
   is added, so that the chapter about a word comes before a section that mentions it. */
"use strict";

(() => {
  const { pages, aside, titles, units, terms, same, filler, everywhere } = searchIndex;
  const HAN = /^[\u3400-\u9fff]+$/u;
  const CODE = /^(\d{5,6}|[a-z]{2,3}\d{4,5})$/; // of CANN and HCCL: 107001, EI0006, ERR02200
  const SATURATION = 1.2; // BM25: how soon more of the same word adds nothing
  const LENGTH = 0.4; // BM25: how much a long text is held back
  const OTHER_WORD = 0.8; // a word that means the same, or another form of it, for the one that was typed
  const PART_OF_WORD = 0.5;
  const CODE_ASKED = 3; // more for the error code that stands in a message
  const GENERAL = 0.1; // for what the whole guide is about
  const MINOR = 0.3; // a word that adds little: a pair of characters between two words, a word of what is already asked
  const UNKNOWN = 2; // weight of a word that is nowhere: most others weigh more
  const OF_PAGE = 2; // a section counts for itself, and by its page
  const OF_TERM = 0.7; // what a chapter explains at its end is about its own case
  const OF_TITLE = 1; // more for a section whose whole heading is asked for
  const QUOTED = 2; // for a heading whose words stand in the question in a row: a message
  const OF_PAGE_TITLE = 2; // and for its page
  const OF_WHOLE = 0.6; // more for one that says all that is asked, of several things
  const OF_ASIDE = 0.6; // for a page that is not in the menu
  const OF_TRAIL = 2; // for a section whose heading says what its page's title leaves open
  const COVERAGE = 0.4; // of the weight of a question that a page must have
  const MISSED = 0.25; // of the weight of a question: so much unknown is worth a word
  const SHOWN = 20;

  /* --- the index ------------------------------------------------------------------------------------------------ */

  const stem = (word) => {
    if (!/^[a-z]{4,}$/.test(word)) return word;
    const short = word.replace(/(ations?|ings?|ed|ies|es|s|e)$/, "");
    return short.length < 3 ? word : short.replace(/([bdgmnprt])\1$/, "$1");
  };
  const forms = new Map(); // of a stem, and of a part of an identifier: the terms
  const addForm = (key, term) => forms.set(key, [...(forms.get(key) ?? []), term]);
  for (const term of Object.keys(terms)) {
    addForm(stem(term), term);
    if (term.includes("_")) for (const part of new Set(term.split("_"))) if (part.length > 2) addForm(stem(part), term);
  }

  const byPage = (unitWeights) => {
    const sums = new Map();
    for (const [unit, weight] of unitWeights) sums.set(units[unit][0], (sums.get(units[unit][0]) ?? 0) + weight);
    return sums;
  };
  const lengthsOf = (count, entries) => {
    const lengths = Array(count).fill(0);
    for (const [at, length] of entries) lengths[at] += length;
    return { lengths, mean: lengths.reduce((sum, length) => sum + length, 0) / count };
  };
  const UNITS = lengthsOf(units.length, units.map(([, , , length], at) => [at, length]));
  const PAGES = lengthsOf(pages.length, units.map(([page, , , length]) => [page, length]));

  /* Weight by unit of a term; of its other forms, or of the longer words it is part of, where it is nowhere. */
  const postings = (term) => {
    const found = new Map();
    const add = (name, factor) => {
      const flat = terms[name];
      for (let at = 0; at < flat.length; at += 2) {
        found.set(flat[at], Math.max(found.get(flat[at]) ?? 0, flat[at + 1] * factor));
      }
    };
    if (Object.hasOwn(terms, term)) add(term, 1);
    if (HAN.test(term)) return found;
    for (const other of forms.get(stem(term)) ?? []) if (other !== term) add(other, OTHER_WORD);
    if (!found.size && term.length > 2) {
      for (const longer of Object.keys(terms)) if (longer.includes(term)) add(longer, PART_OF_WORD);
    }
    return found;
  };

  /* One letter more, less, other or two exchanged (two of these in a long word): 0 if equal, 9 where it is more. */
  const distance = (left, right, most) => {
    if (Math.abs(left.length - right.length) > most) return 9;
    let before = [];
    let row = Array.from({ length: right.length + 1 }, (_, at) => at);
    for (let i = 1; i <= left.length; i += 1) {
      const next = [i];
      for (let j = 1; j <= right.length; j += 1) {
        const same = left[i - 1] === right[j - 1];
        next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (same ? 0 : 1));
        const exchanged = i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1];
        if (exchanged) next[j] = Math.min(next[j], before[j - 2] + 1);
      }
      [before, row] = [row, next];
    }
    return row[right.length] > most ? 9 : row[right.length];
  };
  const isKnown = (word) => Object.hasOwn(terms, word) || forms.has(stem(word)) || synonyms.has(stem(word));
  /* The word that was probably meant: of those at the same distance the one that is most often said. */
  const spelled = (word) => {
    if (!/^[a-z]{5,}\d?$/.test(word) || isKnown(word)) return word;
    const letters = word.replace(/\d$/, ""); // llama3
    if (letters !== word && isKnown(letters)) return letters;
    const most = word.length > 7 ? 2 : 1;
    let nearest = { word, far: 9, often: 0 };
    for (const [known, { length: often }] of Object.entries(terms)) {
      if (known[0] !== word[0] || !/^[a-z_]+$/.test(known)) continue;
      const far = distance(word, known, most);
      if (far < nearest.far || (far === nearest.far && often > nearest.often && far < 9)) nearest = { word: known, far, often };
    }
    return nearest.word;
  };

  const rarity = (all, having) => Math.log(1 + (all - having + 0.5) / (having + 0.5));

  /* --- the question --------------------------------------------------------------------------------------------- */

  const fillers = new Set(filler);
  const hanFillers = filler.filter((word) => HAN.test(word) && word.length > 1).sort((a, b) => b.length - a.length);
  const edges = filler.filter((word) => HAN.test(word) && word.length === 1).join("");
  const edge = new RegExp(`^[${edges}]+|[${edges}]+$`, "gu"); // inside a word they are part of it: 会 of 会话
  const withoutFiller = (run) => {
    const left = hanFillers.reduce((text, word) => text.replaceAll(word, " "), run).replace(/[的了吗呢]/gu, " ");
    return left.split(" ").map((part) => part.replace(edge, "")).filter(Boolean);
  };
  const pairs = (run) => (run.length < 3 ? [run] : [...run].slice(1).map((_, at) => run.slice(at, at + 2)));
  const COUNTED = /^(\d{1,2}|0\d*)$/; // numbers that the index leaves out
  const split = (text) =>
    (text.match(/[\u3400-\u9fff]+|\d+(?:\.\d+)+|[a-z\d_]+/gu) ?? []).filter((word) => !COUNTED.test(word));
  const termsOf = (phrase) => split(phrase.toLowerCase()).flatMap((word) => (HAN.test(word) ? pairs(word) : [word]));
  const spaced = (text) => ` ${split(text).flatMap((word) => (HAN.test(word) ? [...word] : [stem(word)])).join(" ")} `;

  const synonyms = new Set(same.flat().filter((phrase) => !/[ \u3400-\u9fff]/u.test(phrase)).map(stem));
  const general = new Set(everywhere.flatMap(termsOf)); // what the whole guide is about tells no page from another
  const phrases = same
    .flatMap((group) => group.map((phrase) => ({ group, key: spaced(phrase.toLowerCase()), phrase })))
    .sort((a, b) => b.key.length - a.key.length);

  /* Concepts of a question: each has alternatives, each of these is terms, and the typed one is first. */
  const conceptsOf = (question) => {
    const text = question.normalize("NFKC").toLowerCase().replace(/[a-z_]+\d*/g, spelled);
    const concepts = [];
    let left = ` ${split(text).flatMap((word) => (HAN.test(word) ? [...word] : [word])).join(" ")} `;
    let stems = left.split(" ").map(stem).join(" ");
    for (const { group, key } of phrases) {
      const at = stems.indexOf(key);
      if (at < 0) continue;
      const words = left.trim().split(" ");
      const start = stems.slice(0, at).split(" ").filter(Boolean).length;
      const typed = words.splice(start, key.trim().split(" ").length, "|");
      left = ` ${words.join(" ")} `;
      stems = left.split(" ").map(stem).join(" ");
      const own = typed.every((word) => HAN.test(word)) ? pairs(typed.join("")) : typed;
      const known = concepts.find((concept) => concept.group === group);
      if (known) known.alternatives.unshift(own);
      else concepts.push({ group, alternatives: [own, ...group.map(termsOf)], weight: 1 });
    }
    const runs = left.replace(/(?<=[\u3400-\u9fff]) (?=[\u3400-\u9fff])/gu, "").split(/[ |]+/).filter(Boolean);
    const said = new Set(concepts.flatMap(({ alternatives }) => alternatives.flat().map(stem))); // 继续, where 继续训练 is meant
    const weightOf = (term) => {
      if (general.has(term)) return GENERAL;
      if (CODE.test(term)) return CODE_ASKED;
      return said.has(stem(term)) || (term.length < 2 && HAN.test(term)) ? MINOR : 1;
    };
    const plain = (words) => words.map((term) => ({ alternatives: [[term]], weight: weightOf(term) }));
    for (const run of runs) {
      if (HAN.test(run)) withoutFiller(run).forEach((part) => concepts.push(...bridged(plain(pairs(part)))));
      else if (!fillers.has(run)) concepts.push(...plain([run]));
    }
    const unknown = concepts.filter(({ alternatives: [[term]] }) => CODE.test(term) && !Object.hasOwn(terms, term));
    for (const concept of unknown) concept.alternatives.push(...same.find((group) => group.includes("错误码")).map(termsOf));
    const kept = concepts.filter(({ alternatives: [own] }) => !own.every((term) => fillers.has(term)));
    return kept.length ? kept : plain(termsOf(text));
  };

  /* Of "训练中断" the pair in the middle is no word: it is rarer than both its neighbours. */
  const bridged = (concepts) => {
    const count = ({ alternatives: [[term]] }) => terms[term]?.length ?? 0;
    concepts.forEach((concept, at) => {
      if (!count(concept)) concept.weight = Math.min(concept.weight, MINOR); // an unknown word is several such pairs
      if (!concepts[at - 1] || !concepts[at + 1]) return;
      if (count(concept) < Math.min(count(concepts[at - 1]), count(concepts[at + 1]))) concept.weight = Math.min(concept.weight, MINOR);
    });
    return concepts;
  };

  /* --- the answer ----------------------------------------------------------------------------------------------- */

  /* Weight of a concept by unit: of its best alternative, whose terms must all be there. */
  const weigh = ({ alternatives }, weightsOf) => {
    const best = new Map();
    alternatives.forEach((alternative, order) => {
      const [first, ...others] = alternative.map(weightsOf);
      for (const [unit, weight] of first) {
        const least = Math.min(weight, ...others.map((weights) => weights.get(unit) ?? 0)) * (order ? OTHER_WORD : 1);
        if (least > (best.get(unit) ?? 0)) best.set(unit, least);
      }
    });
    return best;
  };
  const score = (weights, rare, { lengths, mean }) =>
    [...weights].map(([at, weight]) => {
      const held = SATURATION * (1 - LENGTH + (LENGTH * lengths[at]) / mean);
      return [at, (rare * weight * (SATURATION + 1)) / (weight + held)];
    });

  const ofTitles = new Map();
  const titleWords = (title) => {
    if (!ofTitles.has(title)) ofTitles.set(title, new Set(termsOf(title).filter((term) => !fillers.has(term)).map(stem)));
    return ofTitles.get(title);
  };

  /* How much of a title the question says, and how much of the question the title. */
  const sharedWith = (title, concepts, whole) => {
    const words = titleWords(title);
    const said = new Set();
    let asked = 0;
    for (const { stems, heavy } of concepts) {
      const all = stems.filter((alternative) => alternative.every((term) => words.has(term)));
      if (all.length) asked += heavy * (all[0] === stems[0] ? 1 : OTHER_WORD);
      all.flat().forEach((term) => said.add(term));
    }
    const ofTitle = said.size / Math.max(words.size, 1);
    return { ofTitle, ofQuestion: whole && asked / whole };
  };

  const ask = (question) => {
    const concepts = conceptsOf(question);
    return { results: answer(concepts, spaced(question.toLowerCase())), unknown: unknownOf(concepts) };
  };

  const answer = (concepts, said) => {
    const cache = new Map();
    const weightsOf = (term) => {
      if (!cache.has(term)) cache.set(term, postings(term));
      return cache.get(term);
    };
    const unitScores = new Map();
    const pageScores = new Map();
    const covered = new Map();
    let whole = 0;
    let exact = null; // sections that have the code asked for
    for (const concept of concepts) {
      const add = (scores, [at, points]) => scores.set(at, (scores.get(at) ?? 0) + points);
      const ofUnits = weigh(concept, weightsOf);
      const ofPages = byPage(ofUnits);
      const heavy = concept.weight * (ofUnits.size ? rarity(units.length, ofUnits.size) : UNKNOWN);
      const found = (concept.group ? ofUnits : weightsOf(concept.alternatives[0][0])).size > 0; // of a code: itself
      Object.assign(concept, { heavy, found, stems: concept.alternatives.map((alternative) => alternative.map(stem)) });
      score(ofUnits, heavy, UNITS).forEach((entry) => add(unitScores, entry));
      score(ofPages, heavy, PAGES).forEach((entry) => add(pageScores, entry));
      [...ofPages.keys()].forEach((page) => add(covered, [page, heavy]));
      whole += heavy;
      if (CODE.test(concept.alternatives[0][0]) && ofUnits.size) exact = new Set([...(exact ?? []), ...ofUnits.keys()]);
    }
    const sections = new Map();
    for (const [unit, score] of unitScores) {
      const page = units[unit][0];
      if (exact ? !exact.has(unit) : covered.get(page) < COVERAGE * whole) continue;
      sections.set(page, [...(sections.get(page) ?? []), { unit, score }]);
    }
    /* With a page's title or, where that is closer, its part before a colon or a bracket: LoRA, of "LoRA: an 8B on one card". */
    const share = (title) => {
      const [all, name] = [title, title.split(/[:：(（]/)[0]].map((part) => sharedWith(part, concepts, whole));
      return name.ofTitle * name.ofQuestion > all.ofTitle * all.ofQuestion ? name : all;
    };
    return [...sections]
      .map(([page, found]) => {
        const ofName = share(titles[page]);
        for (const each of found) {
          const [, , title, , explained] = units[each.unit];
          const { ofTitle, ofQuestion } = sharedWith(title, concepts, whole);
          const together = sharedWith(`${titles[page]} ${title}`, concepts, whole).ofQuestion;
          const more = together - Math.max(ofName.ofQuestion, ofQuestion);
          const all = OF_WHOLE * ofQuestion ** 3 * (1 - 1 / concepts.length);
          each.score *= (1 + OF_TITLE * ofTitle ** 2 * ofQuestion ** 0.5 + all) * (1 + OF_TRAIL * more) * (explained ? OF_TERM : 1);
          if (termsOf(title).length > 3 && said.includes(spaced(title.toLowerCase()))) each.score *= QUOTED;
        }
        found.sort((a, b) => b.score - a.score);
        const ofPage = OF_PAGE * pageScores.get(page) * (1 + OF_PAGE_TITLE * ofName.ofTitle * ofName.ofQuestion ** 2);
        return { page, found, score: (ofPage + found[0].score) * (aside.includes(page) ? OF_ASIDE : 1) };
      })
      .sort((a, b) => b.score - a.score);
  };

  /* The words of a question that are nowhere in the guide, unless the rest of it says enough. */
  const unknownOf = (concepts) => {
    const sum = (some) => some.reduce((total, { heavy }) => total + heavy, 0);
    const lost = concepts.filter(({ found }) => !found);
    return sum(lost) > MISSED * sum(concepts) ? joined(lost.map(({ alternatives: [[term]] }) => term)) : [];
  };
  /* Pairs of characters that overlap are a word again; one alone is none. */
  const joined = (found) => {
    const words = [];
    for (const term of found) {
      const before = words.at(-1);
      if (HAN.test(term) && before?.at(-1) === term[0]) words[words.length - 1] = before + term[1];
      else words.push(term);
    }
    return words.filter((word) => word.length > 2);
  };

  /* Of a pasted traceback the lines that say what went wrong, without the places and numbers of somebody's machine. */
  const condensed = (pasted) => {
    const lines = pasted.split("\n").map((line) => line.trim()).filter(Boolean);
    if (lines.length < 2) return pasted;
    const telling = lines.filter((line) => /error|exception|fail|abort|not |cannot|out of memory|\b\d{6}\b|[A-Z]{2}\d{4}/i.test(line) && !/^(File |Traceback|at )/.test(line));
    const said = (telling.length ? telling : lines).slice(-3).join(" ");
    return said.replace(/0x[0-9a-f]+|\/\S+\/|\d+[-:]\d+[-:]\S+/gi, " ").replace(/\s+/g, " ").trim();
  };

  /* --- what is shown -------------------------------------------------------------------------------------------- */

  const element = (name, properties, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };
  const address = (unit) => {
    const [page, anchor] = units[unit];
    return `${pages[page]}.html${anchor ? `#${anchor}` : ""}`;
  };
  const link = (unit) => element("a", { href: address(unit), textContent: units[unit][2] });

  const marked = (text, words) => {
    const known = words.filter((word) => word.length > 1).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    if (!known.length) return [text];
    const pattern = new RegExp(`(${known.sort((a, b) => b.length - a.length).join("|")})`, "giu");
    return text.split(pattern).map((part, at) => (at % 2 ? element("span", { className: "highlighted", textContent: part }) : part));
  };

  const documents = new Map();
  const load = (file) => {
    if (!documents.has(file)) {
      const page = fetch(file).then((got) => got.text()).then((html) => new DOMParser().parseFromString(html, "text/html"));
      documents.set(file, page);
    }
    return documents.get(file);
  };
  const excerpt = async (unit, words) => {
    const [page, anchor] = units[unit];
    const parsed = (await load(`${pages[page]}.html`)).cloneNode(true);
    const target = anchor && parsed.getElementById(anchor);
    const place = target?.tagName === "DT" ? target.nextElementSibling : (target || parsed.querySelector("#main section"));
    place?.querySelectorAll(".no-search, .headerlink, h1, h2, h3, script, button").forEach((part) => part.remove());
    const text = (place?.textContent ?? "").replace(/\s+/g, " ").trim();
    const lower = text.toLowerCase();
    const places = words.map((word) => lower.indexOf(word)).filter((at) => at >= 0);
    const start = Math.max(0, (places.length ? Math.min(...places) : 0) - 40);
    return (start ? "…" : "") + text.slice(start, start + 160) + (start + 160 < text.length ? "…" : "");
  };

  const item = ({ page, found }, words) => {
    const [first, ...others] = found;
    const shown = element("li", {}, link(first.unit));
    if (units[first.unit][1]) shown.append(element("span", { className: "of-page", textContent: titles[page] }));
    const text = element("p", { className: "context" });
    excerpt(first.unit, words).then(
      (said) => text.replaceChildren(...marked(said, words)),
      () => text.remove(), // opened from a folder: other pages can not be read
    );
    shown.append(text);
    const also = others.filter(({ unit, score }) => units[unit][1] && score > 0.6 * first.score).slice(0, 3);
    if (also.length) shown.append(element("p", { className: "also" }, ...also.map(({ unit }) => link(unit))));
    return shown;
  };

  const show = (question) => {
    const box = document.querySelector("#search-results");
    const summary = box.querySelector(".search-summary");
    if (!question.trim()) {
      summary.textContent = box.dataset.empty;
      return;
    }
    const { results: all, unknown } = ask(question);
    const results = all.slice(0, SHOWN);
    const typed = question.toLowerCase().match(/[\u3400-\u9fff]+|[^\s\u3400-\u9fff]+/gu) ?? [];
    const words = typed.flatMap((word) => (HAN.test(word) ? withoutFiller(word) : fillers.has(word) ? [] : [word]));
    try {
      localStorage.setItem("sphinx_highlight_terms", words.join(" "));
    } catch {
      // storage is forbidden: nothing is marked on the page that is opened
    }
    box.querySelector(".search").replaceChildren(...results.map((result) => item(result, words)));
    summary.textContent = results.length ? box.dataset.some.replace("%d", results.length) : box.dataset.none;
    if (unknown.length) summary.textContent = `${box.dataset.unknown.replace("%s", unknown.join(", "))} ${summary.textContent}`;
    box.querySelector(".search-help").hidden = results.length > 0 && !unknown.length;
  };

  document.addEventListener("DOMContentLoaded", () => {
    const question = condensed(new URLSearchParams(location.search).get("q") ?? "");
    document.querySelectorAll('#rtd-search-form input[name="q"]').forEach((box) => (box.value = question));
    const started = performance.now();
    show(question);
    performance.measure("search", { start: started });
  });
})();
