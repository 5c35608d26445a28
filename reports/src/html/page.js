// Filters, folding, links, keys and copy buttons. This script never turns text into markup.
'use strict';
// The browser must not lay out the matrix before its rows are folded: that takes a second.
document.documentElement.classList.add('script');
addEventListener('DOMContentLoaded', () => {
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const byId = (id) => document.getElementById(id);

  // A button that copies a text.
  const copier = (label, text) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'copier';
    button.textContent = label;
    button.addEventListener('click', async (event) => {
      event.preventDefault();
      // A browser may refuse; then the reader selects the text.
      const copied = await navigator.clipboard.writeText(text()).then(() => true, () => false);
      button.textContent = copied ? 'copied' : 'not allowed here';
      setTimeout(() => { button.textContent = label; }, 1500);
    });
    return button;
  };
  // Adds the buttons below an element. A folded finding gets its buttons when it is opened.
  const addCopiers = (root) => {
    for (const element of all('.copy, .message', root)) {
      if (one('.copier', element) || element.closest('details.judged:not([open])')) continue;
      const code = () => all('code', element).at(-1).textContent;
      if (one('code', element)) element.append(copier('copy', code));
    }
    const title = root.matches('article, .cause') && one('h3', root);
    if (title && !one('.copier', title)) {
      title.append(copier('copy link', () => `${location.href.split('#')[0]}#${root.id}`));
    }
  };
  all('.cause').forEach(addCopiers);
  document.addEventListener('toggle', (event) => {
    const finding = event.target.open && event.target.closest('article, .cause');
    if (finding) addCopiers(finding);
  }, true);

  // Sessions are unfolded on paper.
  let folded = [];
  addEventListener('beforeprint', () => {
    folded = all('.report details.session:not([open]), .diff details.changes:not([open])');
    folded.forEach((details) => { details.open = true; });
  });
  addEventListener('afterprint', () => { folded.forEach((details) => { details.open = false; }); });

  // A finding of the page becomes the current one.
  const show = (element) => {
    all('.current').forEach((other) => other.classList.remove('current'));
    if (element.matches('.cause, article, tr')) element.classList.add('current');
    if (element.matches('article')) {
      const details = all('details.judged', element);
      if (details.length === 1) details[0].open = true;
    }
    element.scrollIntoView();
  };
  // The next finding after the current one; if the reader has scrolled away from it, after the top of
  // the window.
  const go = (step) => {
    const findings = all('.cause, article').filter((it) => it.checkVisibility());
    const top = (it) => it.getBoundingClientRect().top;
    const onScreen = (it) => it.getBoundingClientRect().bottom > 0 && top(it) < innerHeight;
    const current = findings.findIndex((it) => it.classList.contains('current') && onScreen(it));
    const below = findings.findIndex((it) => top(it) > 0);
    const from = below < 0 ? findings.length : below;
    const next = findings[current < 0 ? from + (step > 0 ? 0 : -1) : current + step];
    if (!next) return;
    history.replaceState(null, '', `#${next.id}${filterText()}`);
    show(next);
    next.focus({ preventScroll: true });
  };
  addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches('input[type=search]')) return;
    if (event.key === 'j') go(1);
    if (event.key === 'k') go(-1);
  });

  const decoded = (text) => {
    try { return decodeURI(text); } catch { return text; }
  };

  const form = byId('filters');
  const table = one('table.matrix');
  const rows = table ? all('tr.case', table) : [];
  const articles = new Map(all('article').map((article) => [article.id, article]));
  const articleOf = rows.map((row) => articles.get(decoded(one('th a', row).hash.slice(1))) ?? articles.get(one('th a', row).hash.slice(1)));
  const texts = rows.map(() => undefined);
  const style = document.head.appendChild(document.createElement('style'));

  // The group of each clause. A grid of clients and servers has none.
  const clauses = table ? all('tbody.clause', table) : [];
  const groupOf = new Map();
  for (let body = table && one('tbody', table), group = null; body; body = body.nextElementSibling) {
    if (body.matches('.group')) group = body;
    else groupOf.set(body, group);
  }
  const open = (body) => one('button', body).ariaExpanded === 'true';
  const setOpen = (body, value) => { one('button', body).ariaExpanded = String(value); };

  const boxes = (name) => all(`input[name=${name}]`, form);
  const chosen = (name) => new Set(boxes(name).filter((box) => box.checked).map((box) => box.value));

  // The filters as the end of the address; empty if everything is shown.
  const filterText = () => {
    if (!form) return '';
    const state = new URLSearchParams();
    for (const name of ['verdict', 'level', 'peer']) {
      if (boxes(name).some((box) => !box.checked)) state.set(name, [...chosen(name)].join('.'));
    }
    if (form.elements.differ?.checked) state.set('differ', '1');
    if (form.elements.text.value.trim()) state.set('text', form.elements.text.value.trim());
    const text = state.toString();
    return text && `?${text}`;
  };
  const readFilters = (text) => {
    const state = new URLSearchParams(text);
    for (const name of ['verdict', 'level', 'peer']) {
      const values = state.has(name) ? new Set(state.get(name).split('.')) : null;
      boxes(name).forEach((box) => { box.checked = !values || values.has(box.value); });
    }
    if (form.elements.differ) form.elements.differ.checked = state.has('differ');
    form.elements.text.value = state.get('text') ?? '';
  };

  const filter = () => {
    const words = form.elements.text.value.trim().toLowerCase();
    const verdicts = chosen('verdict');
    const levels = chosen('level');
    const peers = boxes('peer').length ? chosen('peer') : null;
    const differ = form.elements.differ?.checked;
    const filtering = filterText() !== '';
    // One CSS rule per peer hides its column and its outcomes; that is faster than hiding each element.
    const hidden = boxes('peer').filter((box) => !box.checked).map((box) => Number(box.value));
    style.textContent = hidden.map((peer) => `.matrix tr > :nth-child(${peer + 2}), [data-peer="${peer}"] { display: none !important }`).join('\n');
    table.classList.toggle('filtering', filtering);
    all('th button', table).forEach((button) => { button.disabled = filtering; });
    let shown = 0;
    rows.forEach((row, number) => {
      const letters = [...row.dataset.v].filter((letter, peer) => letter !== '-' && (!peers || peers.has(String(peer))));
      let fits = levels.has(row.dataset.l) && letters.some((letter) => verdicts.has(letter));
      if (fits && differ) fits = new Set(letters).size > 1;
      if (fits && words) {
        texts[number] ??= `${row.textContent} ${articleOf[number]?.textContent ?? ''}`.toLowerCase();
        fits = texts[number].includes(words);
      }
      const body = row.parentElement;
      const group = groupOf.get(body);
      row.dataset.fits = fits ? '1' : '';
      row.hidden = !fits || !(filtering || !group || (open(group) && open(body)));
      if (articleOf[number]) articleOf[number].hidden = !fits;
      shown += fits ? 1 : 0;
    });
    const used = new Set();
    for (const body of clauses) {
      const fits = one('tr[data-fits="1"]', body) !== null;
      const group = groupOf.get(body);
      if (fits) used.add(group);
      body.hidden = !fits || !(filtering || open(group));
    }
    new Set(groupOf.values()).forEach((group) => { if (group) group.hidden = !used.has(group); });
    table.hidden = shown === 0;
    byId('none').hidden = shown !== 0;
    byId('count').textContent = `${shown} of ${rows.length} cases`;
  };

  // Shows the place that the address names, even if it is filtered out or folded, and keeps the
  // filters in the address.
  const follow = () => {
    const [place, filters] = location.hash.slice(1).split('?');
    if (form && filters !== undefined) readFilters(filters);
    const target = place ? byId(place) ?? byId(decoded(place)) : null;
    if (form && target) {
      const row = rows.find((_, number) => articleOf[number] === target) ?? target;
      if (row.dataset.fits === '') form.reset();
      const body = target.closest('tbody');
      if (body && groupOf.get(body)) [body, groupOf.get(body)].forEach((it) => setOpen(it, true));
    }
    if (form) {
      filter();
      history.replaceState(null, '', `#${place}${filterText()}`);
    }
    all('.current').forEach((other) => other.classList.remove('current'));
    for (let fold = target?.closest('details'); fold; fold = fold.parentElement.closest('details')) fold.open = true;
    if (target) show(target);
  };

  if (form) {
    const single = table.matches('.one');
    for (const button of all('th button', table)) {
      const body = button.closest('tbody');
      button.disabled = false;
      setOpen(body, body.matches('.group') && !single);
      button.addEventListener('click', () => { setOpen(body, !open(body)); filter(); });
    }
    const changed = () => {
      filter();
      history.replaceState(null, '', `#${location.hash.slice(1).split('?')[0]}${filterText()}`);
    };
    form.addEventListener('input', changed);
    form.addEventListener('submit', (event) => event.preventDefault());
    form.addEventListener('reset', () => setTimeout(changed));
    byId('problems').addEventListener('click', () => {
      for (const box of boxes('verdict')) box.checked = box.value !== 'p';
      changed();
    });
    form.hidden = false;
    filter();
    table.classList.add('ready');
  }
  addEventListener('hashchange', follow);
  if (location.hash.length > 1) follow();
});
