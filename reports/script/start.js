// Makes the page interactive. Without this script the page has everything, as
// still pictures and tables.

// copyButtons puts a button beside every command.
function copyButtons() {
  for (const command of document.querySelectorAll('pre.command')) {
    const button = element('button', { type: 'button', className: 'copy', textContent: 'Copy' });
    button.addEventListener('click', async () => {
      try {
        await navigator.clipboard.writeText(command.textContent);
        button.textContent = 'Copied';
      } catch {
        getSelection().selectAllChildren(command);
        button.textContent = 'Selected: press Ctrl+C';
      }
      setTimeout(() => { button.textContent = 'Copy'; }, 2000);
    });
    command.after(button);
  }
}

function explorer(run) {
  const canvas = element('canvas', { tabIndex: 0, className: 'lanes' });
  canvas.setAttribute('role', 'application');
  canvas.setAttribute('aria-label', 'Timeline of the run. Arrows move, plus and minus zoom, 0 shows the whole run, Enter selects what is shown, Escape clears the selection, n and p go to the next and previous violation.');
  const strip = element('canvas', { className: 'strip' });
  const timeline = new Timeline(run, canvas);
  const places = element('select', {}, element('option', { value: '-1', textContent: 'every object, one row each' }),
    ...[...run.lanes.keys()].sort((a, b) => a - b).map((p) => element('option', { value: String(p), textContent: run.Places[p].join(' ') })));
  const status = element('p', { className: 'small readout', role: 'status' });
  const tip = element('div', { className: 'tip', hidden: true });
  const list = new OperationList(run, (i) => {
    go(run.call[i], Math.max(run.end[i], run.heldTo[i]), run.lanes.has(run.place[i]) ? run.place[i] : timeline.place);
    status.textContent = timeline.tell(i);
    canvas.scrollIntoView({ block: 'center' });
    canvas.focus({ preventScroll: true });
  });
  const notes = {};
  for (const id of ['lines', 'faultlist']) {
    const table = document.getElementById(id);
    if (!table) continue;
    notes[id] = element('p', { className: 'small', role: 'status' });
    table.before(notes[id]);
  }

  let pending = 0;
  function redraw() {
    if (pending) return;
    pending = requestAnimationFrame(() => {
      pending = 0;
      paint();
    });
  }
  function paint() {
    timeline.draw();
    drawOverview(run, timeline, strip);
    clear.disabled = toSelection.disabled = !timeline.selection;
  }
  function report() {
    status.textContent = `${seconds(timeline.from)} to ${seconds(timeline.to)}, ${lasting(timeline.to - timeline.from)}` +
      (timeline.selection ? `; selected: ${seconds(timeline.selection[0])} to ${seconds(timeline.selection[1])}` : '');
  }
  function moved() {
    tip.hidden = true;
    report();
    redraw();
  }
  // select filters the lists by a range of times, or by none.
  function select(range) {
    timeline.selection = range;
    list.range = range;
    list.update();
    for (const id in notes) filterRows(document.getElementById(id), range, notes[id]);
    moved();
  }
  function showPlace(place) {
    timeline.place = list.place = place;
    places.value = String(place);
    if (list.here.checked) list.update();
    moved();
  }
  // go shows a time with what is around it.
  function go(from, to, place) {
    const margin = Math.max((to - from) * 0.6, 2000);
    timeline.show(from - margin, to + margin);
    showPlace(place);
  }
  let violation = -1;
  function nextViolation(by) {
    if (!run.Violations.length) return;
    violation = (violation + by + run.Violations.length) % run.Violations.length;
    const v = run.Violations[violation];
    go(v.From, v.To, v.Place >= 0 && run.lanes.has(v.Place) ? v.Place : timeline.place);
    status.textContent = `Violation ${violation + 1} of ${run.Violations.length}: ${v.Title}. ${status.textContent}`;
  }

  const button = (text, title, act) => {
    const b = element('button', { type: 'button', textContent: text, title });
    b.addEventListener('click', act);
    return b;
  };
  const zoomIn = button('+ Zoom in', 'key +', () => { timeline.zoom(0.5); moved(); });
  const zoomOut = button('− Zoom out', 'key −', () => { timeline.zoom(2); moved(); });
  const whole = button('Whole run', 'key 0', () => { timeline.show(0, run.End); moved(); });
  const toSelection = button('Zoom to selection', '', () => { timeline.show(...timeline.selection); moved(); });
  const clear = button('Clear selection', 'Escape', () => select(null));
  const bar = element('div', { className: 'tools' }, element('label', {}, 'Show ', places), zoomIn, zoomOut, whole, toSelection, clear);
  if (run.Violations.length) {
    bar.append(button('◂ Violation', 'key p', () => nextViolation(-1)), button('Violation ▸', 'key n', () => nextViolation(1)));
  }
  const help = element('p', { className: 'small', textContent: 'Drag to select a range: operations, faults and logs below show only what lies in it. Ctrl + wheel zooms, shift + drag or shift + wheel moves. With the keyboard: arrows, + and −, 0, Enter to select what is shown, n and p for violations.' });
  const node = element('div', { id: 'explorer' }, bar, strip, canvas, status);
  const key = document.getElementById('key');
  if (key) {
    const copy = key.cloneNode(true);
    copy.removeAttribute('id');
    node.append(copy);
  }
  node.append(help, tip);

  // The pointer.
  let drag = null;
  const point = (e, on) => {
    const box = on.getBoundingClientRect();
    return [e.clientX - box.left, e.clientY - box.top];
  };
  canvas.addEventListener('pointerdown', (e) => {
    if (e.button) return;
    const [x] = point(e, canvas);
    drag = { x, from: timeline.from, to: timeline.to, pan: e.shiftKey, moved: false };
    canvas.setPointerCapture(e.pointerId);
  });
  canvas.addEventListener('pointermove', (e) => {
    const [x, y] = point(e, canvas);
    if (!drag) {
      const found = timeline.at(x, y);
      tip.hidden = !found;
      if (found) {
        tip.textContent = typeof found.text === 'function' ? found.text() : found.text;
        const box = node.getBoundingClientRect();
        tip.style.left = Math.max(0, Math.min(e.clientX - box.left + 14, box.width - tip.offsetWidth - 4)) + 'px';
        tip.style.top = e.clientY - box.top + 18 + 'px';
      }
      return;
    }
    if (Math.abs(x - drag.x) > 3) drag.moved = true;
    if (!drag.moved) return;
    if (drag.pan) {
      const by = ((drag.x - x) / (timeline.width - gutter - 8)) * (drag.to - drag.from);
      timeline.show(drag.from + by, drag.to + by);
    } else {
      const times = [timeline.time(Math.max(drag.x, gutter)), timeline.time(Math.max(x, gutter))].sort((a, b) => a - b);
      timeline.selection = [Math.max(0, times[0]), Math.min(run.End, times[1])];
    }
    moved();
  });
  canvas.addEventListener('pointerup', () => {
    if (drag && drag.moved && !drag.pan) select(timeline.selection);
    drag = null;
  });
  canvas.addEventListener('pointercancel', () => { drag = null; });
  canvas.addEventListener('pointerleave', () => { tip.hidden = true; });
  canvas.addEventListener('dblclick', (e) => {
    timeline.zoom(0.4, timeline.time(point(e, canvas)[0]));
    moved();
  });
  canvas.addEventListener('wheel', (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey) {
      timeline.zoom(Math.exp(Math.max(-60, Math.min(60, e.deltaY)) / 150), timeline.time(point(e, canvas)[0]));
    } else if (e.shiftKey || Math.abs(e.deltaX) > Math.abs(e.deltaY)) {
      timeline.pan((e.deltaX || e.deltaY) / 1000);
    } else {
      return;
    }
    e.preventDefault();
    moved();
  }, { passive: false });
  const carry = (e) => {
    const half = (timeline.to - timeline.from) / 2;
    const at = ((point(e, strip)[0] - gutter) / (strip.clientWidth - gutter - 8)) * run.End;
    timeline.show(at - half, at + half);
    moved();
  };
  strip.addEventListener('pointerdown', (e) => {
    strip.setPointerCapture(e.pointerId);
    carry(e);
  });
  strip.addEventListener('pointermove', (e) => { if (e.buttons & 1) carry(e); });

  // The keyboard.
  const keys = {
    ArrowLeft: () => timeline.pan(-0.2), ArrowRight: () => timeline.pan(0.2),
    '+': () => timeline.zoom(0.5), '=': () => timeline.zoom(0.5), ArrowUp: () => timeline.zoom(0.5),
    '-': () => timeline.zoom(2), ArrowDown: () => timeline.zoom(2),
    '0': () => timeline.show(0, run.End), Home: () => timeline.show(0, timeline.to - timeline.from), End: () => timeline.show(run.End, run.End + timeline.to - timeline.from),
  };
  canvas.addEventListener('keydown', (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    if (keys[e.key]) {
      keys[e.key]();
      moved();
    } else if (e.key === 'Enter') {
      select([timeline.from, timeline.to]);
    } else if (e.key === 'Escape') {
      select(null);
    } else if (e.key === 'n' || e.key === 'p') {
      nextViolation(e.key === 'n' ? 1 : -1);
    } else {
      return;
    }
    e.preventDefault();
  });

  places.addEventListener('change', () => showPlace(Number(places.value)));
  addEventListener('resize', redraw);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);

  // Every violation of the page leads to its place in the timeline.
  for (const shown of document.querySelectorAll('.violation[data-from]')) {
    const { from, to, place } = shown.dataset;
    shown.append(button('Look around in the timeline', '', () => {
      go(1e6 * Number(from), 1e6 * Number(to), run.lanes.has(Number(place)) ? Number(place) : -1);
      canvas.scrollIntoView({ block: 'center' });
      canvas.focus({ preventScroll: true });
    }));
  }
  const first = run.Violations.find((v) => run.lanes.has(v.Place));
  showPlace(first ? first.Place : [...run.lanes.keys()].sort((a, b) => a - b)[0] ?? -1);
  list.update();
  return { node, list, timeline, paint };
}

async function start() {
  copyButtons();
  const data = document.getElementById('data');
  if (!data || typeof DecompressionStream === 'undefined') return;
  const run = readRun(await unpack(data.content.textContent));
  const interactive = explorer(run);
  // Only now, when nothing can fail any more, does it take the place of the stills.
  document.getElementById('stills').before(interactive.node);
  interactive.paint();
  document.getElementById('stills').open = false;
  const calls = document.getElementById('calls');
  if (calls) {
    calls.before(interactive.list.node);
    calls.hidden = document.getElementById('listed').hidden = true;
  }
  document.documentElement.dataset.ready = 'yes';
  // For tests, measurements and the curious.
  globalThis.holdfast = { run, timeline: interactive.timeline, paint: interactive.paint, usable: performance.now() };
}

start();
