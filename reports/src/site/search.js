// Finds entries of the index that have all words. This script never turns text into markup.
'use strict';
addEventListener('DOMContentLoaded', () => {
  const LIMIT = 60;
  const [input, count, found] = ['words', 'count', 'found'].map((id) => document.getElementById(id));
  const texts = INDEX.map((entry) => [entry[0], entry[1], entry[3]].join(' ').toLowerCase());
  // A word in the title counts more, and more still at its start.
  const score = (title, words) => words.reduce((sum, word) => {
    const at = title.indexOf(word);
    return sum + (at === 0 ? 3 : at > 0 ? 2 : 0);
  }, 0);

  const element = (name, text, className) => {
    const made = document.createElement(name);
    made.textContent = text;
    if (className) made.className = className;
    return made;
  };
  const line = ([title, kind, address, text]) => {
    const item = document.createElement('li');
    const link = element('a', title);
    link.href = address;
    item.append(link, ' ', element('small', kind), element('p', text));
    return item;
  };

  const search = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const hits = words.length === 0 ? [] : INDEX.filter((_, n) => words.every((word) => texts[n].includes(word)));
    hits.sort((a, b) => score(b[0].toLowerCase(), words) - score(a[0].toLowerCase(), words));
    found.replaceChildren(...hits.slice(0, LIMIT).map(line));
    const more = hits.length > LIMIT ? `, the first ${LIMIT} of them` : '';
    count.textContent = words.length === 0 ? '' : `${hits.length} found${more}`;
  };
  input.value = new URLSearchParams(location.search).get('q') ?? '';
  input.addEventListener('input', () => {
    search();
    try {
      history.replaceState(null, '', input.value ? `?q=${encodeURIComponent(input.value)}` : '?');
    } catch {
      // A page on a disk may not change its address in some browsers.
    }
  });
  input.form.addEventListener('submit', (event) => { event.preventDefault(); search(); });
  search();
});
