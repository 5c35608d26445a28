// The filters and the links to cases. This script never turns text into markup.
'use strict';
{
  const form = document.getElementById('filters');
  const count = document.getElementById('count');
  const none = document.getElementById('none');
  const table = document.querySelector('table.matrix');
  const peers = document.querySelectorAll('table.matrix thead th').length - 1;
  const cases = [...document.querySelectorAll('article')];
  const rows = [...document.querySelectorAll('tr.case')];
  const clauses = [...document.querySelectorAll('table.matrix tbody')];
  const texts = cases.map(() => undefined);
  const style = document.head.appendChild(document.createElement('style'));

  const chosen = (name) => {
    const boxes = [...form.querySelectorAll(`input[name=${name}]`)];
    return new Set(boxes.filter((box) => box.checked).map((box) => box.value));
  };

  // One CSS rule per peer hides its column and its outcomes; that is faster than hiding each element.
  const hidePeers = (shown) => {
    const rules = [];
    for (let peer = 0; peer < peers; peer += 1) {
      if (!shown.has(String(peer))) {
        rules.push(`.matrix tr > :nth-child(${peer + 2}), [data-peer="${peer}"] { display: none !important }`);
      }
    }
    style.textContent = rules.join('\n');
  };

  const filter = () => {
    const words = form.elements.text.value.trim().toLowerCase();
    const verdicts = chosen('verdict');
    const levels = chosen('level');
    const shownPeers = peers > 1 ? chosen('peer') : new Set(['0']);
    hidePeers(shownPeers);
    let shown = 0;
    cases.forEach((article, number) => {
      const letters = [...article.dataset.v].filter((_, peer) => shownPeers.has(String(peer)));
      let fits = levels.has(article.dataset.l) && letters.some((letter) => verdicts.has(letter));
      if (fits && words) {
        texts[number] ??= article.textContent.toLowerCase();
        fits = texts[number].includes(words);
      }
      article.hidden = !fits;
      rows[number].hidden = !fits;
      shown += fits ? 1 : 0;
    });
    clauses.forEach((clause) => { clause.hidden = !clause.querySelector('tr.case:not([hidden])'); });
    table.hidden = shown === 0;
    none.hidden = shown !== 0;
    count.textContent = `${shown} of ${cases.length} cases`;
  };

  // A link shows its case even if it is filtered out or folded.
  const follow = () => {
    const target = document.getElementById(decodeURI(location.hash.slice(1))) ?? document.getElementById(location.hash.slice(1));
    if (!target) return;
    if (target.closest('[hidden]')) {
      form.reset();
      filter();
    }
    target.querySelectorAll('details.judged').forEach((details) => { details.open = true; });
    target.scrollIntoView();
  };

  // Findings are unfolded for printing and folded again afterwards.
  let folded = [];
  addEventListener('beforeprint', () => {
    folded = [...document.querySelectorAll('details.judged:not([open])')];
    folded.forEach((details) => { details.open = true; });
  });
  addEventListener('afterprint', () => { folded.forEach((details) => { details.open = false; }); });

  form.addEventListener('input', filter);
  form.addEventListener('submit', (event) => event.preventDefault());
  form.addEventListener('reset', () => setTimeout(filter));
  addEventListener('hashchange', follow);
  form.hidden = false;
  filter();
  follow();
}
