// What was drawn -> points: a stroke is filled with them, and the eraser takes away those that it touches.

const SPACING = 0.01; // between two places along a stroke, a share of the field's width
const THIN = 0.02; // a brush of this size makes one point at each place, a wider one more
// Multiples of these two, modulo 1, fill a square evenly (the R2 sequence: 1 / p and 1 / p^2, p the plastic number).
const [FIRST, SECOND] = [0.7548776662, 0.5698402910];

/** Strokes of sketch.js, in their order -> at most `most` points [x, y], from -reach to reach, y upwards, in thousandths. */
export function makePoints(strokes, most, reach) {
  let points = [];
  for (const stroke of strokes) {
    if (stroke.erases) points = points.filter((point) => measureDistance(point, stroke.points) > stroke.size / 2);
    else points.push(...fillStroke(stroke));
  }
  const count = Math.min(most, points.length);
  const kept = Array.from({ length: count }, (_, i) => points[Math.floor((i * points.length) / count)]);
  return kept.map(([x, y]) => [(2 * x - 1) * reach, (1 - 2 * y) * reach].map((value) => Math.round(value * 1000) / 1000));
}

/** Points of a stroke: some around each place of its way, within the brush. A dot is one place, which it fills. */
function fillStroke({ points, size }) {
  const way = listPlaces(points);
  const wide = Math.max(1, Math.round(size / THIN));
  const each = way.length === 1 ? wide ** 2 : wide;
  return way.flatMap(([x, y], k) => Array.from({ length: each }, (_, i) => {
    const n = k * each + i;
    const radius = each === 1 ? 0 : (size / 2) * Math.sqrt((n * FIRST) % 1);
    const angle = 2 * Math.PI * n * SECOND;
    const place = [x + radius * Math.cos(angle), y + radius * Math.sin(angle)];
    return place.map((value) => Math.max(0, Math.min(1, value)));
  }));
}

/** Places along a way, SPACING apart; the first is its beginning. */
function listPlaces(points) {
  const places = [points[0]];
  for (const [x, y] of points.slice(1)) {
    let [fromX, fromY] = places.at(-1);
    let left = Math.hypot(x - fromX, y - fromY);
    while (left >= SPACING) {
      fromX += ((x - fromX) * SPACING) / left;
      fromY += ((y - fromY) * SPACING) / left;
      places.push([fromX, fromY]);
      left -= SPACING;
    }
  }
  return places;
}

function measureDistance([x, y], way) {
  const ends = way.length === 1 ? [way[0], way[0]] : way;
  return Math.min(...ends.slice(1).map(([toX, toY], i) => {
    const [fromX, fromY] = ends[i];
    const [dx, dy] = [toX - fromX, toY - fromY];
    const along = ((x - fromX) * dx + (y - fromY) * dy) / (dx * dx + dy * dy || 1);
    const t = Math.max(0, Math.min(1, along));
    return Math.hypot(x - fromX - t * dx, y - fromY - t * dy);
  }));
}
