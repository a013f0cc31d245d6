// What the page brings along: operations, faults, members and violations of the
// run. reports/explore.go writes it. Times are microseconds on the run's clock.

const endings = ['released', 'told lost', 'crashed', 'still held at the end'];

// unpack turns base64 of a deflated stream into bytes.
async function unpack(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// Numbers reads numbers in base 128, the lowest seven bits first.
class Numbers {
  constructor(bytes, at) {
    this.bytes = bytes;
    this.at = at;
  }
  next() {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const b = this.bytes[this.at++];
      value += (b & 127) * scale;
      if (!(b & 128)) return value;
    }
  }
  // signed undoes Go's zigzag.
  signed() {
    const v = this.next();
    return v % 2 ? -(v + 1) / 2 : v / 2;
  }
  column(n, type, read) {
    const out = new type(n);
    for (let i = 0; i < n; i++) out[i] = read();
    return out;
  }
}

// readRun returns the run: the header's fields, a column for each field of the
// operations, and the lanes that timelines draw.
function readRun(bytes) {
  const size = bytes[0] + 256 * (bytes[1] + 256 * (bytes[2] + 256 * bytes[3]));
  const run = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + size)));
  for (const list of ['Clients', 'Places', 'Kinds', 'Outcomes', 'Texts', 'Faults', 'Members', 'Phases', 'Told', 'Crashes', 'Violations', 'Witnesses', 'Lanes']) {
    run[list] = run[list] || [];
  }
  const numbers = new Numbers(bytes, 4 + size);
  const n = run.Listed;
  const plain = () => numbers.next();
  const sums = () => {
    let last = 0;
    return () => (last += numbers.signed());
  };
  run.id = numbers.column(n, Float64Array, sums());
  run.call = numbers.column(n, Float64Array, sums());
  const took = numbers.column(n, Float64Array, plain);
  run.client = numbers.column(n, Uint32Array, plain);
  run.place = numbers.column(n, Uint32Array, plain);
  const kind = numbers.column(n, Uint32Array, plain);
  run.outcome = numbers.column(n, Uint32Array, plain);
  let token = 0;
  run.token = numbers.column(n, Float64Array, () => {
    const next = token + numbers.signed();
    if (next) token = next;
    return next;
  });
  const held = numbers.column(n, Float64Array, plain);
  run.text = numbers.column(n, Uint32Array, plain);

  run.kind = kind.map((k) => k >> 1);
  run.acquires = kind.map((k) => k & 1);
  run.pending = took.map((t) => (t ? 0 : 1));
  const crashed = new Map();
  for (const mark of run.Crashes) if (!crashed.has(mark.Client)) crashed.set(mark.Client, mark.At);
  run.end = took.map((t, i) => (t ? run.call[i] + t - 1 : Math.max(run.call[i], crashed.get(run.client[i]) ?? run.End)));
  run.heldTo = held.map((h, i) => (h ? run.end[i] + Math.floor((h - 4) / 4) : -1));
  run.ended = held.map((h) => (h ? h % 4 : 0));
  run.witness = new Set(run.Witnesses);

  run.owners = new Map(); // by place
  for (let i = 0; i < run.Owners; i++) {
    const place = plain(), client = plain(), from = plain(), to = from + plain(), revision = plain(), byLease = plain();
    if (!run.owners.has(place)) run.owners.set(place, []);
    run.owners.get(place).push({ client, from, to, revision, byLease });
  }
  for (const list of run.owners.values()) packRows(list);
  run.good = numbers.column(run.Rates, Float64Array, plain);
  run.other = numbers.column(run.Rates, Float64Array, plain);

  run.lanes = new Map(); // by place: lanes by client
  const lane = (place, client) => {
    if (!run.lanes.has(place)) run.lanes.set(place, new Map());
    const lanes = run.lanes.get(place);
    if (!lanes.has(client)) lanes.set(client, { client, waits: [], holds: [], density: null });
    return lanes.get(client);
  };
  for (const [place, client] of run.Lanes) {
    lane(place, client).density = bytes.subarray(numbers.at, numbers.at + run.Moments);
    numbers.at += run.Moments;
  }
  for (let i = 0; i < n; i++) {
    if (!run.acquires[i]) continue;
    const l = lane(run.place[i], run.client[i]);
    l.waits.push(i);
    if (run.heldTo[i] >= 0) l.holds.push(i);
  }
  return run;
}

// packRows gives each span of a list a row in which it overlaps no other: readers
// own a lock together.
function packRows(list) {
  list.sort((a, b) => a.from - b.from);
  const ends = [];
  for (const span of list) {
    let row = ends.findIndex((end) => end <= span.from);
    if (row < 0) row = ends.length < 4 ? ends.push(0) - 1 : 3;
    ends[row] = span.to;
    span.row = row;
  }
  list.rows = ends.length;
}

// listedBetween is true if every operation of [from, to] is listed.
function listedBetween(run, from, to) {
  return !run.Windows || run.Windows.some((w) => w[0] <= from && to <= w[1]);
}

// compareNames sorts c9 before c10.
const compareNames = new Intl.Collator('en', { numeric: true }).compare;

// seconds is a time as text, with so many digits that two times step apart differ.
function seconds(t, step = 1000) {
  const digits = Math.max(0, Math.min(6, Math.ceil(6 - Math.log10(Math.max(step, 1)) - 1e-9)));
  return (t / 1e6).toFixed(digits) + ' s';
}

// lasting is a length of time as text.
function lasting(t) {
  if (t < 1000) return t + ' µs';
  if (t < 1e6) return (t / 1000).toFixed(t < 1e4 ? 1 : 0) + ' ms';
  return (t / 1e6).toFixed(2) + ' s';
}
