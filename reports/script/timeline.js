// The timeline of the whole run on a canvas: what can be told apart is drawn one
// by one, what cannot as how densely it fills the time.

const gutter = 132; // room for the lanes' names
const lanePitch = 17;
const laneBar = 12;
const ownerPitch = 13;

// together is the density of several lanes as one, or null if there is none: the
// sum of what was held, and as much waiting as in the lane that waits most.
function together(densities) {
  if (densities.length < 2) return densities[0] || null;
  return densities[0].map((_, m) => {
    let held = 0, waited = 0;
    for (const d of densities) {
      held += d[m] >> 4;
      waited = Math.max(waited, d[m] & 15);
    }
    return (Math.min(held, 15) << 4) | waited;
  });
}

// Timeline draws the window [from, to] of a run, with the lanes of one place, or
// a row for each if place is -1.
class Timeline {
  constructor(run, canvas) {
    this.run = run;
    this.canvas = canvas;
    this.from = 0;
    this.to = run.End;
    this.place = -1;
    this.selection = null; // [from, to]
    this.marked = -1; // an operation
    this.targets = []; // what is under the pointer: {x1, x2, y1, y2, text, operation}
    this.cached = new Map(); // rows by place
  }

  get width() { return this.canvas.clientWidth || 1000; }
  x(t) { return gutter + ((t - this.from) / (this.to - this.from)) * (this.width - gutter - 8); }
  time(x) { return this.from + ((x - gutter) / (this.width - gutter - 8)) * (this.to - this.from); }

  // show moves the window, within the run and no narrower than 20 µs.
  show(from, to) {
    const length = Math.min(Math.max(to - from, 20), this.run.End);
    this.from = Math.max(0, Math.min(from, this.run.End - length));
    this.to = this.from + length;
  }
  zoom(factor, around = (this.from + this.to) / 2) {
    this.show(around - (around - this.from) * factor, around + (this.to - around) * factor);
  }
  pan(share) {
    const by = (this.to - this.from) * share;
    this.show(this.from + by, this.to + by);
  }

  // rows are the places or clients to draw, in order, with the operations of all
  // their lanes in the order in which they begin.
  rows() {
    if (this.cached.has(this.place)) return this.cached.get(this.place);
    const run = this.run;
    const rows = [];
    if (this.place < 0) {
      for (const [place, lanes] of [...run.lanes].sort((a, b) => a[0] - b[0])) {
        rows.push({ name: run.Places[place].join(' ').trim(), lanes: [...lanes.values()] });
      }
    } else {
      const lanes = [...(run.lanes.get(this.place) || new Map()).values()];
      lanes.sort((a, b) => compareNames(run.Clients[a.client], run.Clients[b.client]));
      for (const l of lanes) rows.push({ name: run.Clients[l.client], client: l.client, lanes: [l] });
    }
    for (const row of rows) {
      row.waits = row.lanes.flatMap((l) => l.waits).sort((a, b) => run.call[a] - run.call[b]);
      row.holds = row.lanes.flatMap((l) => l.holds).sort((a, b) => run.end[a] - run.end[b]);
      row.density = together(row.lanes.map((l) => l.density).filter(Boolean));
    }
    this.cached.set(this.place, rows);
    return rows;
  }

  draw() {
    const styles = getComputedStyle(document.documentElement);
    const colors = new Map();
    this.color = (name) => {
      if (!colors.has(name)) colors.set(name, styles.getPropertyValue('--' + name).trim());
      return colors.get(name);
    };
    const rows = this.rows();
    const g = this.g = this.canvas.getContext('2d');
    const font = '11px system-ui, "Segoe UI", "DejaVu Sans", sans-serif';
    g.setTransform(1, 0, 0, 1, 0, 0);
    g.font = font;
    const faults = this.packFaults();
    const owners = this.place >= 0 && this.run.owners.get(this.place);
    const top = 24;
    const height = top + 14 * faults.rows + 8 + 16 * this.run.Members.length + (owners ? ownerPitch * owners.rows + 5 : 0) + lanePitch * rows.length + 8;
    const ratio = window.devicePixelRatio || 1;
    const width = this.width;
    if (this.canvas.width !== Math.round(width * ratio) || this.canvas.height !== Math.round(height * ratio)) {
      this.canvas.width = Math.round(width * ratio);
      this.canvas.height = Math.round(height * ratio);
      this.canvas.style.height = height + 'px';
    }
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    g.clearRect(0, 0, width, height);
    g.font = font; // a canvas that has changed its size has forgotten it
    g.textBaseline = 'middle';
    this.targets = [];
    this.selected(height, false);
    this.axis(height);
    this.bands(top, height);
    this.violations(top, height);
    let y = this.faults(faults, top) + 8;
    for (const member of this.run.Members) {
      this.member(member, y);
      y += 16;
    }
    if (owners) {
      this.owners(owners, y);
      y += ownerPitch * owners.rows + 5;
    }
    for (const row of rows) {
      this.lane(row, y);
      y += lanePitch;
    }
    this.phases(top, height);
    this.selected(height, true);
  }

  name(text, y) {
    const g = this.g;
    g.fillStyle = this.color('fg');
    g.textAlign = 'right';
    let shown = text;
    while (shown.length > 4 && g.measureText(shown).width > gutter - 16) shown = shown.slice(0, -2) + '…';
    g.fillText(shown, gutter - 8, y);
    g.textAlign = 'left';
  }

  rect(color, x1, x2, y, h) {
    this.g.fillStyle = this.color(color);
    this.g.fillRect(x1, y, Math.max(x2 - x1, 0.8), h);
  }

  // inBar writes text into a bar if it fits.
  inBar(color, text, x1, x2, y) {
    const from = Math.max(x1, gutter) + 4;
    if (Math.min(x2, this.width) - from < this.g.measureText(text).width + 2) return;
    this.g.fillStyle = this.color(color);
    this.g.fillText(text, from, y);
  }

  // target remembers what is drawn where; text may be a function that makes it.
  target(x1, x2, y, h, text, operation = -1) {
    this.targets.push({ x1: x1 - 1, x2: Math.max(x2, x1 + 2) + 1, y1: y, y2: y + h, text, operation });
  }

  axis(height) {
    const g = this.g;
    const room = Math.max(2, Math.floor((this.width - gutter) / 90));
    let step = 1;
    for (let k = 0; (this.to - this.from) / step > room; k++) step *= k % 3 === 1 ? 2.5 : 2; // 1, 2, 5, 10, …
    g.textAlign = 'center';
    for (let t = Math.ceil(this.from / step) * step; t <= this.to; t += step) {
      const x = this.x(t);
      g.fillStyle = this.color('line');
      g.fillRect(x, 18, 1, height - 18);
      g.fillStyle = this.color('muted');
      const text = seconds(t, step);
      const half = g.measureText(text).width / 2;
      g.fillText(text, Math.min(Math.max(x, gutter + half - 8), this.width - half - 1), 9);
    }
    g.textAlign = 'left';
  }

  bands(top, height) {
    this.g.globalAlpha = 0.14;
    let reach = -1; // of those that overlap only one is drawn
    for (const f of [...this.run.Faults].sort((a, b) => a.From - b.From)) {
      if (!f.Verified || f.To < this.from || f.From > this.to || !this.concerns(f)) continue;
      const x1 = Math.max(this.x(f.From), gutter, reach), x2 = Math.min(this.x(f.To), this.width - 8);
      if (x2 > x1) this.rect('band', x1, x2, top, height - top);
      reach = Math.max(reach, x2);
    }
    this.g.globalAlpha = 1;
  }

  violations(top, height) {
    let reach = -1;
    for (const v of [...this.run.Violations].sort((a, b) => a.From - b.From)) {
      if (v.To < this.from || v.From > this.to || (this.place >= 0 && v.Place !== this.place)) continue;
      const x1 = Math.max(this.x(v.From), gutter), x2 = Math.max(Math.min(this.x(v.To), this.width - 8), x1 + 2);
      if (x2 > reach) {
        this.g.globalAlpha = 0.13;
        this.rect('bad', Math.max(x1, reach), x2, top, height - top);
        this.g.globalAlpha = 1;
        reach = x2;
      }
      this.rect('bad', x1, x2, top - 4, 3);
    }
  }

  // concerns is false for a fault on clients that the timeline does not show.
  concerns(f) {
    const lanes = this.place >= 0 && this.run.lanes.get(this.place);
    return !lanes || !f.Clients || f.Clients.some((c) => lanes.has(c));
  }

  // packFaults gives each fault in the window a row in which nothing overlaps.
  packFaults() {
    const ends = [], placed = [];
    let left = 0;
    for (const f of this.run.Faults) {
      if (f.To < this.from || f.From > this.to) continue;
      if (!this.concerns(f)) continue;
      const x1 = Math.max(this.x(f.From), gutter), x2 = Math.max(x1 + 2, Math.min(this.x(f.To), this.width - 8));
      const wide = this.g.measureText(f.Label).width + 8;
      let side = 'inside', begin = x1, end = x2;
      if (wide > x2 - x1) [side, end] = ['after', x2 + wide];
      if (end > this.width) [side, begin, end] = ['before', x1 - wide, x2];
      let row = ends.findIndex((e) => e < begin - 3);
      if (row < 0 && ends.length < 8) row = ends.push(0) - 1;
      if (row < 0) {
        left++;
        continue;
      }
      ends[row] = end;
      placed.push({ f, row, x1, x2, side });
    }
    return { placed, left, rows: Math.max(ends.length, 1) };
  }

  faults({ placed, left, rows }, top) {
    this.name('faults', top + 6);
    if (left) this.name(`and ${left} more`, top + 20);
    const g = this.g;
    for (const { f, row, x1, x2, side } of placed) {
      const y = top + 14 * row;
      if (f.Verified) {
        this.rect('fault', x1, x2, y, 12);
      } else {
        g.strokeStyle = this.color('muted');
        g.setLineDash([3, 2]);
        g.strokeRect(x1 + 0.5, y + 0.5, x2 - x1 - 1, 11);
        g.setLineDash([]);
      }
      g.fillStyle = this.color(side === 'inside' && f.Verified ? 'on-fault' : 'fg');
      g.textAlign = side === 'before' ? 'right' : 'left';
      g.fillText(f.Label, { inside: x1 + 4, after: x2 + 4, before: x1 - 4 }[side], y + 6.5);
      g.textAlign = 'left';
      const proof = f.Verified ? '' : ', without evidence';
      this.target(x1, x2, y, 12, `${f.Label}: ${seconds(f.From)} to ${seconds(f.To)}${proof}. ${f.Details}`);
    }
    return top + 14 * rows;
  }

  member(member, y) {
    this.name('member ' + member.Name, y + 7);
    for (const s of member.States || []) {
      if (s.To < this.from || s.From > this.to) continue;
      const x1 = Math.max(this.x(s.From), gutter), x2 = Math.min(this.x(s.To), this.width - 8);
      if (s.State === 'leader') {
        this.rect('leader', x1, x2, y + 1, 12);
        this.inBar('on-hold', 'leads', x1, x2, y + 7.5);
      } else if (s.State === 'down') {
        this.g.strokeStyle = this.color('bad');
        this.g.setLineDash([3, 2]);
        this.g.strokeRect(x1 + 0.5, y + 3.5, Math.max(x2 - x1 - 1, 1), 8);
        this.g.setLineDash([]);
        this.inBar('fg', 'down', x1 + 5, x2, y + 7.5);
      } else {
        this.rect('wait', x1, x2, y + 6, 2);
      }
      this.target(x1, x2, y, 14, `${member.Name}: ${s.State} from ${seconds(s.From)} to ${seconds(s.To)}`);
    }
    for (const end of member.Ends || []) this.cross(end, y + 1, end.Text);
  }

  owners(owners, top) {
    this.name('owns it in etcd', top + 7);
    const g = this.g;
    for (const o of owners) {
      if (o.to < this.from || o.from > this.to) continue;
      const y = top + ownerPitch * o.row;
      const x1 = Math.max(this.x(o.from), gutter), x2 = Math.max(Math.min(this.x(o.to), this.width - 8), x1 + 0.8);
      this.rect('owns', x1, x2, y, laneBar);
      g.strokeStyle = this.color('hold');
      g.strokeRect(x1 + 0.5, y + 0.5, Math.max(x2 - x1 - 1, 0.5), laneBar - 1);
      const who = this.run.Clients[o.client] || 'a key of nobody known';
      this.inBar('fg', who, x1, x2, y + 6.5);
      const end = o.byLease ? 'its lease ended' : 'its key was deleted, or the record ended';
      this.target(x1, x2, y, laneBar, `${who} owns it in etcd from ${seconds(o.from)} to ${seconds(o.to)} (rev ${o.revision}): ${end}`);
    }
  }

  // lane draws waits as thin bars and holds as thick ones, each pixel at most once.
  lane(row, y) {
    this.name(row.name, y + 7);
    const g = this.g, run = this.run;
    g.fillStyle = this.color('line');
    g.fillRect(gutter, y + laneBar / 2, this.width - gutter - 8, 0.7);
    const dense = row.density && !listedBetween(run, this.from, this.to);
    if (dense) {
      this.density(row, y);
    } else {
      this.spans(row.waits, run.call, run.end, (i, x1, x2, count) => {
        if (x2 - x1 < 12 || row.lanes.length > 1) {
          this.rect('wait', x1, x2, y + 4, laneBar - 8);
        } else {
          this.hatch(x1, x2, y + 3, laneBar - 6);
        }
        this.target(x1, x2, y, laneBar, count > 1 ? `${count} waits` : () => this.tell(i), i);
      });
    }
    this.spans(row.holds, run.end, run.heldTo, (i, x1, x2, count) => {
      const proof = run.witness.has(run.id[i]);
      if (dense && !proof) return;
      g.globalAlpha = count > 1 ? 0.6 : 1;
      this.rect(proof ? 'witness' : 'hold', x1, x2, y, laneBar);
      g.globalAlpha = 1;
      if (proof) {
        g.strokeStyle = this.color('fg');
        g.strokeRect(x1, y - 0.5, Math.max(x2 - x1, 2), laneBar + 1);
      }
      if (count === 1 && x2 - x1 > 16) {
        const who = row.lanes.length > 1 ? run.Clients[run.client[i]] : 'holds';
        this.inBar('on-hold', run.token[i] ? `${who}, token ${run.token[i]}` : who, x1, x2, y + 6.5);
      }
      this.target(x1, x2, y, laneBar, count > 1 ? `${count} holds` : () => this.tell(i), i);
    });
    if (row.client === undefined) return;
    for (const mark of run.Told) if (mark.Client === row.client) this.told(mark, y);
    for (const mark of run.Crashes) if (mark.Client === row.client) this.crash(mark, y);
  }

  // spans calls each for every operation of the window, or for several at once
  // that one pixel cannot tell apart. Witnesses stay apart.
  spans(list, from, to, each) {
    let open = -1, start = 0, end = 0, count = 0;
    const flush = () => {
      if (open >= 0) each(open, start, end, count);
      open = -1;
    };
    for (const i of list) {
      if (from[i] > this.to) break;
      if (to[i] < this.from) continue;
      const x1 = Math.max(this.x(from[i]), gutter), x2 = Math.max(Math.min(this.x(to[i]), this.width - 8), x1 + 0.8);
      const apart = this.run.witness.has(this.run.id[i]);
      if (open >= 0 && !apart && x1 - end < 1 && x2 - start < 4) {
        end = Math.max(end, x2);
        count++;
        continue;
      }
      flush();
      if (apart) {
        each(i, x1, x2, 1);
      } else {
        [open, start, end, count] = [i, x1, x2, 1];
      }
    }
    flush();
  }

  hatch(x1, x2, y, h) {
    const g = this.g;
    g.strokeStyle = this.color('wait');
    g.lineWidth = h;
    g.setLineDash([1.4, 2.4]);
    g.beginPath();
    g.moveTo(x1, y + h / 2);
    g.lineTo(x2, y + h / 2);
    g.stroke();
    g.setLineDash([]);
    g.lineWidth = 1;
  }

  // density draws a row whose operations are not listed: the darker, the more of
  // the time was held, and a line for waits. Neighbours that look alike are one bar.
  density(row, y) {
    const moments = row.density.length;
    const length = this.run.End / moments;
    const first = Math.max(0, Math.floor(this.from / length)), last = Math.min(moments - 1, Math.floor(this.to / length));
    const step = Math.max(1, Math.ceil((last - first) / (this.width - gutter)));
    const draw = (color, shift, top, height) => {
      let begun = first, shade = 0;
      for (let m = first; m <= last + step; m += step) {
        let sum = 0;
        for (let k = m; k < m + step && k <= last; k++) sum += (row.density[k] >> shift) & 15;
        const next = m > last ? 0 : Math.ceil((sum * 5) / (15 * step));
        if (next === shade && m <= last) continue;
        if (shade) {
          this.g.globalAlpha = 0.15 + 0.17 * shade;
          this.rect(color, Math.max(this.x(begun * length), gutter), Math.min(this.x(m * length), this.width - 8), y + top, height);
        }
        [begun, shade] = [m, next];
      }
    };
    draw('wait', 0, laneBar / 2 - 1.5, 3);
    draw('hold', 4, 1, laneBar - 2);
    this.g.globalAlpha = 1;
    this.target(gutter, this.width, y, laneBar, `${row.name}: how much of the time was held (darker is more); single operations are not in this page here`);
  }

  told(mark, y) {
    if (mark.At < this.from || mark.At > this.to) return;
    const g = this.g, x = this.x(mark.At);
    g.fillStyle = this.color('fg');
    g.beginPath();
    g.moveTo(x, y + 4);
    g.lineTo(x - 4, y - 3);
    g.lineTo(x + 4, y - 3);
    g.fill();
    this.target(x - 4, x + 4, y - 3, 8, mark.Text);
  }

  crash(mark, y) {
    this.cross(mark, y, `${this.run.Clients[mark.Client]} crashed at ${seconds(mark.At)}`);
  }

  // cross marks where a client or a member died.
  cross(mark, y, text) {
    if (mark.At < this.from || mark.At > this.to) return;
    const g = this.g, x = this.x(mark.At);
    g.strokeStyle = this.color('bad');
    g.lineWidth = 2.2;
    g.beginPath();
    g.moveTo(x - 4, y + 2);
    g.lineTo(x + 4, y + 10);
    g.moveTo(x + 4, y + 2);
    g.lineTo(x - 4, y + 10);
    g.stroke();
    g.lineWidth = 1;
    this.target(x - 4, x + 4, y, laneBar, text);
  }

  phases(top, height) {
    const g = this.g;
    g.strokeStyle = this.color('muted');
    g.setLineDash([5, 3]);
    for (const p of this.run.Phases) {
      if (p.At < this.from || p.At > this.to) continue;
      const x = this.x(p.At);
      g.beginPath();
      g.moveTo(x, top);
      g.lineTo(x, height);
      g.stroke();
      this.target(x - 2, x + 2, top, height - top, `the phase “${p.Text}” begins at ${seconds(p.At)}`);
    }
    g.setLineDash([]);
  }

  // selected draws the selection: what is below everything else, or its frame.
  selected(height, frame) {
    if (!this.selection) return;
    const g = this.g;
    const x1 = Math.max(this.x(this.selection[0]), gutter), x2 = Math.min(this.x(this.selection[1]), this.width - 8);
    if (x2 < gutter || x1 > this.width) return;
    if (frame) {
      g.strokeStyle = this.color('link');
      g.lineWidth = 2;
      g.strokeRect(x1, 1, Math.max(x2 - x1, 1), height - 2);
      g.lineWidth = 1;
      return;
    }
    g.globalAlpha = 0.1;
    this.rect('link', x1, x2, 0, height);
    g.globalAlpha = 1;
  }

  // tell says everything of an operation in a line.
  tell(i) {
    const run = this.run;
    let text = `${run.id[i]}: ${run.Clients[run.client[i]]} ${run.Kinds[run.kind[i]]} ${run.Places[run.place[i]].join(' ')}, ${seconds(run.call[i], 10)} to ${run.pending[i] ? 'never' : seconds(run.end[i], 10)}, ${run.Outcomes[run.outcome[i]]}`;
    if (run.heldTo[i] >= 0) text += `; held until ${seconds(run.heldTo[i], 10)} (${lasting(run.heldTo[i] - run.end[i])}), ${endings[run.ended[i]]}`;
    if (run.token[i]) text += `, token ${run.token[i]}`;
    if (run.Texts[run.text[i]]) text += `; ${run.Texts[run.text[i]]}`;
    if (run.witness.has(run.id[i])) text = 'Witness of a violation. ' + text;
    return text;
  }

  // at returns what is at a point of the canvas, the last one drawn, or null.
  at(x, y) {
    for (let i = this.targets.length - 1; i >= 0; i--) {
      const t = this.targets[i];
      if (t.x1 <= x && x <= t.x2 && t.y1 <= y && y <= t.y2) return t;
    }
    return null;
  }
}
