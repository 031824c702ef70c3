/* Ranks search results by how much a page is about the query (BM25 over the weights of search_ranking.py). */
"use strict";

(() => {
  const SATURATION = 1.2; // BM25: how soon more of the same word adds nothing
  const LENGTH = 0.3; // BM25: how much a long page is held back
  const BEST = 10; // score of the best page; a page whose title is the query has more (Scorer.title)
  const SECTION = 0.6; // of Scorer.title: a section whose heading is the query comes right after the best page
  const COVERAGE = 2 / 3; // of the words of a query that a page must have

  /* Weights by page of a term; a word that is nowhere stands for the longer words it is part of. */
  const postings = (term) => {
    const { terms } = Search.weights;
    if (Object.hasOwn(terms, term)) return terms[term];
    if (term.length < 3) return {};
    const sum = {};
    for (const [longer, pages] of Object.entries(terms)) {
      if (!longer.includes(term)) continue;
      for (const [page, weight] of Object.entries(pages)) sum[page] = (sum[page] ?? 0) + weight / 2;
    }
    return sum;
  };

  Scorer.score = ([, , anchor, , score, , kind]) =>
    kind === SearchResultKind.title && anchor ? score * SECTION : score;

  Search.performTermsSearch = (searchTerms, excludedTerms) => {
    const { pages, lengths } = Search.weights;
    const { docnames, titles, filenames } = Search._index;
    const mean = lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
    const scores = new Map();
    for (const term of searchTerms) {
      const found = Object.entries(postings(term));
      const rarity = Math.log(1 + (pages.length - found.length + 0.5) / (found.length + 0.5));
      for (const [page, weight] of found) {
        const score = scores.get(page) ?? { sum: 0, terms: 0 };
        const held = SATURATION * (1 - LENGTH + (LENGTH * lengths[page]) / mean);
        score.sum += (rarity * weight * (SATURATION + 1)) / (weight + held);
        score.terms += 1;
        scores.set(page, score);
      }
    }
    const excluded = new Set([...excludedTerms].flatMap((term) => Object.keys(postings(term))));
    const kept = [...scores].filter(
      ([page, score]) => score.terms >= searchTerms.size * COVERAGE && !excluded.has(page),
    );
    const best = Math.max(...kept.map(([, score]) => score.sum));
    return kept.map(([page, score]) => {
      const file = docnames.indexOf(pages[page]);
      const points = (BEST * score.sum) / best;
      return [docnames[file], titles[file], "", null, points, filenames[file], SearchResultKind.text];
    });
  };

  /* What a page ran on is the same on all of them: the excerpt shows what it says. */
  const htmlToText = Search.htmlToText;
  Search.htmlToText = (html, anchor) => {
    const page = new DOMParser().parseFromString(html, "text/html");
    page.querySelectorAll(".no-search").forEach((element) => element.remove());
    return htmlToText(page.documentElement.outerHTML, anchor);
  };

  /* Mark the words as they were typed, not the pairs of characters that were looked up. */
  const parseQuery = Search._parseQuery;
  Search._parseQuery = (query) => {
    const parsed = parseQuery(query);
    for (const code of query.match(/\b\d{5,}\b/g) ?? []) parsed[1].add(code); // Sphinx leaves numbers out
    const typed = query.trim().toLowerCase().split(/\s+/);
    try {
      localStorage.setItem("sphinx_highlight_terms", typed.join(" "));
    } catch {
      // storage is forbidden: nothing is marked on the page that is opened
    }
    parsed[3] = new Set(typed);
    return parsed;
  };
})();
