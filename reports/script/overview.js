// The strip above the timeline: how many calls were made when, and which part of
// the run the timeline shows.

function drawOverview(run, timeline, canvas) {
  const styles = getComputedStyle(document.documentElement);
  const color = (name) => styles.getPropertyValue('--' + name).trim();
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.clientWidth || 1000, height = 44;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const g = canvas.getContext('2d');
  g.setTransform(ratio, 0, 0, ratio, 0, 0);
  const room = width - gutter - 8;
  const x = (t) => gutter + (t / run.End) * room;
  let most = 1;
  for (let m = 0; m < run.Rates; m++) most = Math.max(most, run.good[m] + run.other[m]);
  for (let m = 0; m < run.Rates; m++) {
    const left = gutter + (m / run.Rates) * room, wide = Math.max(room / run.Rates, 0.8);
    const good = (run.good[m] / most) * (height - 10), other = (run.other[m] / most) * (height - 10);
    g.fillStyle = color('hold');
    g.fillRect(left, height - good, wide, good);
    g.fillStyle = color('witness');
    g.fillRect(left, height - good - other, wide, other);
  }
  g.fillStyle = color('bad');
  for (const v of run.Violations) {
    const at = x(v.From);
    g.beginPath();
    g.moveTo(at, 8);
    g.lineTo(at - 4, 0);
    g.lineTo(at + 4, 0);
    g.fill();
  }
  g.fillStyle = color('muted');
  g.font = '11px system-ui, "Segoe UI", "DejaVu Sans", sans-serif';
  g.textAlign = 'right';
  g.fillText('calls', gutter - 8, height - 16);
  if (run.Violations.length) g.fillText('▾ violations', gutter - 8, 10);
  g.globalAlpha = 0.14;
  g.fillStyle = color('link');
  g.fillRect(x(timeline.from), 0, Math.max(x(timeline.to) - x(timeline.from), 2), height);
  g.globalAlpha = 1;
  g.strokeStyle = color('link');
  g.lineWidth = 2;
  g.strokeRect(x(timeline.from), 1, Math.max(x(timeline.to) - x(timeline.from), 2), height - 2);
}
