// The lists that follow the timeline: operations, logs, faults.

const pageOfList = 200;

function element(tag, properties = {}, ...children) {
  const e = Object.assign(document.createElement(tag), properties);
  e.append(...children);
  return e;
}

// OperationList shows the operations that lie in a range and have all words of a
// filter, some at a time. jump is called with an operation that was chosen.
class OperationList {
  constructor(run, jump) {
    this.run = run;
    this.jump = jump;
    this.range = null;
    this.place = -1;
    this.words = element('input', { type: 'search', placeholder: 'client, operation, outcome, error…' });
    this.outcome = element('select', {}, element('option', { value: '', textContent: 'any outcome' }),
      ...run.Outcomes.map((o, i) => element('option', { value: String(i), textContent: o })));
    this.here = element('input', { type: 'checkbox' });
    this.count = element('p', { className: 'small', role: 'status' });
    this.body = element('tbody');
    this.more = element('button', { type: 'button', textContent: `Show ${pageOfList} more` });
    const head = ['no.', 'client', 'operation', 'subject and object', 'call', 'took', 'outcome', 'token', 'held', 'details'];
    this.node = element('div', { className: 'oplist' },
      element('div', { className: 'tools' },
        element('label', {}, 'Find ', this.words), element('label', {}, 'Outcome ', this.outcome),
        element('label', {}, this.here, ' only what the timeline shows')),
      this.count,
      element('div', { className: 'scroll rows', tabIndex: 0 },
        element('table', { className: 'list' },
          element('thead', {}, element('tr', {}, ...head.map((h) => element('th', { textContent: h })))), this.body)),
      this.more);
    this.words.addEventListener('input', () => this.update());
    this.outcome.addEventListener('change', () => this.update());
    this.here.addEventListener('change', () => this.update());
    this.more.addEventListener('click', () => this.grow());
  }

  // matching are the numbers of the operations to show.
  matching() {
    const run = this.run, out = [];
    const words = this.words.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (let i = 0; i < run.Listed; i++) {
      if (this.range && (run.call[i] > this.range[1] || Math.max(run.end[i], run.heldTo[i]) < this.range[0])) continue;
      if (this.outcome.value !== '' && run.outcome[i] !== Number(this.outcome.value)) continue;
      if (this.here.checked && this.place >= 0 && run.place[i] !== this.place) continue;
      if (words.length) {
        const text = `${run.id[i]} ${run.Clients[run.client[i]]} ${run.Kinds[run.kind[i]]} ${run.Places[run.place[i]].join(' ')} ${run.Outcomes[run.outcome[i]]} ${run.Texts[run.text[i]]}`.toLowerCase();
        if (!words.every((w) => text.includes(w))) continue;
      }
      out.push(i);
    }
    return out;
  }

  update() {
    this.found = this.matching();
    this.shown = 0;
    this.body.replaceChildren();
    const run = this.run;
    const where = this.range ? ` between ${seconds(this.range[0])} and ${seconds(this.range[1])}` : '';
    const whole = run.Listed < run.Total ? ` This page has ${run.Listed} of the run’s ${run.Total} operations, all of them near the violations; history.jsonl has the others.` : '';
    this.count.textContent = `${this.found.length} of ${run.Listed} operations${where}.${whole}`;
    this.grow();
  }

  grow() {
    const rows = this.found.slice(this.shown, this.shown + pageOfList).map((i) => this.row(i));
    this.shown += rows.length;
    this.body.append(...rows);
    this.more.hidden = this.shown >= this.found.length;
  }

  row(i) {
    const run = this.run;
    const number = element('button', { type: 'button', className: 'link', textContent: run.id[i], title: 'Show it in the timeline' });
    number.addEventListener('click', () => this.jump(i));
    const cell = (text, className = '') => element('td', { textContent: text, className });
    return element('tr', { className: run.witness.has(run.id[i]) ? 'proof' : '' },
      element('td', { className: 'n' }, number),
      cell(run.Clients[run.client[i]]),
      cell(run.Kinds[run.kind[i]]),
      cell(run.Places[run.place[i]].join(' ')),
      cell(seconds(run.call[i], 1), 'n'),
      cell(run.pending[i] ? '–' : lasting(run.end[i] - run.call[i]), 'n'),
      cell(run.Outcomes[run.outcome[i]]),
      cell(run.token[i] || '', 'n'),
      cell(run.heldTo[i] >= 0 ? `${lasting(run.heldTo[i] - run.end[i])}, ${endings[run.ended[i]]}` : ''),
      cell((run.witness.has(run.id[i]) ? 'witness; ' : '') + run.Texts[run.text[i]]));
  }
}

// filterRows hides those rows of a table of the page that lie outside of a range,
// and says how many are left. Rows have the attributes data-t, or data-from and
// data-to, in seconds.
function filterRows(table, range, status) {
  if (!table) return;
  let shown = 0, all = 0;
  for (const row of table.querySelectorAll('tr[data-t], tr[data-from]')) {
    const from = 1e6 * Number(row.dataset.t ?? row.dataset.from), to = 1e6 * Number(row.dataset.t ?? row.dataset.to);
    row.hidden = Boolean(range) && (from > range[1] || to < range[0]);
    all++;
    if (!row.hidden) shown++;
  }
  status.textContent = range ? `${shown} of ${all} lie between ${seconds(range[0])} and ${seconds(range[1])}, as selected in the timeline.` : '';
}
