// How outputs are shown: pictures, solids, points, lines of text, probabilities.

const POINTS_SHOWN = 1_000;
const LINES_SHOWN = 16;
const SOLID_PIXELS = 160; // side of the picture of a solid
const SOLID_WIDTH = 1.2; // half of its width, in half sides of the grid
const LIGHT_FROM = [-0.45, -0.7, -0.55]; // left, above and in front
const LEVELS = 127.5;

// A value in [-1, 1] as a level of grey: rounded as PyTorch rounds, halves to the even level.
function toLevel(value) {
  const level = Math.min(255, Math.max(0, (value + 1) * LEVELS));
  const rounded = Math.round(level);
  return rounded - level === 0.5 && rounded % 2 ? rounded - 1 : rounded;
}

// Sample `at` of pictures [N, C, H, W] on a canvas of its size.
function drawPicture(canvas, { dims, data }, at) {
  const [, channels, height, width] = dims;
  const area = height * width;
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  const picture = context.createImageData(width, height);
  for (let i = 0; i < area; i++) {
    for (let c = 0; c < 3; c++) picture.data[4 * i + c] = toLevel(data[(at * channels + (channels === 3 ? c : 0)) * area + i]);
    picture.data[4 * i + 3] = 255;
  }
  context.putImageData(picture, 0, 0);
}

// Sample `at` of solids [N, 1, D, H, W], turned by an angle: the first filled voxel on each ray, lit from above.
function drawSolid(canvas, { dims, data }, at, angle, side = SOLID_PIXELS) {
  const size = dims[2];
  const start = at * size ** 3;
  const voxel = (x, y, z) => {
    if (x < 0 || y < 0 || z < 0 || x >= size || y >= size || z >= size) return 0;
    return (data[start + (z * size + y) * size + x] + 1) / 2;
  };
  const [sine, cosine, tilt] = [Math.sin(angle), Math.cos(angle), (25 * Math.PI) / 180];
  const turn = (x, y, z) => {
    const [v, w] = [y * Math.cos(tilt) - z * Math.sin(tilt), y * Math.sin(tilt) + z * Math.cos(tilt)];
    return [x * cosine + w * sine, v, -x * sine + w * cosine];
  };
  const light = turn(...LIGHT_FROM);
  const bright = Math.hypot(...light);
  Object.assign(canvas, { width: side, height: side });
  const context = canvas.getContext("2d");
  const picture = context.createImageData(side, side);
  picture.data.fill(255);
  const toCell = (value) => Math.floor(((value + 1) / 2) * size);
  for (let row = 0; row < side; row++)
    for (let column = 0; column < side; column++) {
      const across = ((column + 0.5) / side) * 2 * SOLID_WIDTH - SOLID_WIDTH;
      const down = ((row + 0.5) / side) * 2 * SOLID_WIDTH - SOLID_WIDTH;
      for (let along = -1.75; along < 1.75; along += 0.8 / size) {
        const [x, y, z] = turn(across, down, along).map(toCell);
        if (voxel(x, y, z) <= 0.5) continue;
        const slope = [0, 0, 0];
        for (let a = -2; a <= 2; a++)
          for (let b = -2; b <= 2; b++)
            for (let c = -2; c <= 2; c++) {
              const filled = voxel(x + a, y + b, z + c);
              slope[0] -= a * filled;
              slope[1] -= b * filled;
              slope[2] -= c * filled;
            }
        const length = Math.hypot(...slope) || 1;
        const facing = Math.max(0, (slope[0] * light[0] + slope[1] * light[1] + slope[2] * light[2]) / (length * bright));
        picture.data.fill(255 * (0.3 + 0.62 * facing), 4 * (row * side + column), 4 * (row * side + column) + 3);
        break;
      }
    }
  context.putImageData(picture, 0, 0);
}

// Points [N, D]: the first two coordinates, or of one coordinate a histogram.
function drawPoints(canvas, { dims, data }) {
  const [count, width] = dims;
  const side = 480;
  Object.assign(canvas, { width: side, height: side });
  const context = canvas.getContext("2d");
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, side, side);
  context.fillStyle = "rgb(125 60 192 / 0.6)";
  const column = (k) => Array.from({ length: count }, (_, i) => Number(data[i * width + k]));
  const range = (values) => [Math.min(...values), Math.max(...values)];
  const xs = column(0);
  const [left, right] = range(xs);
  if (width === 1) {
    const bins = new Array(40).fill(0);
    for (const x of xs) bins[Math.min(39, Math.floor(((x - left) / (right - left || 1)) * 40))]++;
    const top = Math.max(...bins);
    bins.forEach((n, i) => context.fillRect(20 + i * 11, side - 20 - (n / top) * (side - 40), 10, (n / top) * (side - 40)));
    return;
  }
  const ys = column(1);
  const [low, high] = range(ys);
  const scale = (side - 40) / (Math.max(right - left, high - low) || 1); // one for both axes
  xs.forEach((x, i) => {
    context.beginPath();
    context.arc(side / 2 + (x - (left + right) / 2) * scale, side / 2 - (ys[i] - (low + high) / 2) * scale, 2.5, 0, 2 * Math.PI);
    context.fill();
  });
}

// Lines of text int64 [N, L], each up to its first 0; without symbols the numbers.
function readLines({ dims, data }, symbols) {
  return Array.from({ length: dims[0] }, (_, i) => {
    const row = Array.from(data.slice(i * dims[1], (i + 1) * dims[1]), Number);
    if (!symbols.length) return row.join(" ");
    const end = row.indexOf(0);
    return row.slice(0, end < 0 ? row.length : end).map((k) => symbols[k - 1]).join("");
  });
}

// Logits [1, K] as bars, the likeliest first.
function showBars(box, { data }, names) {
  const logits = Array.from(data, Number);
  const most = Math.max(...logits);
  const shares = logits.map((each) => Math.exp(each - most));
  const total = shares.reduce((a, b) => a + b, 0);
  const order = shares.map((share, i) => [share / total, i]).sort((a, b) => b[0] - a[0]).slice(0, 10);
  const rows = order.flatMap(([share, i], place) => {
    const bar = make("div", { className: "bar", "aria-hidden": "true" });
    bar.style.width = `${100 * share}%`;
    const best = place ? "" : " best";
    return [
      make("span", { className: `name${best}` }, names[i] ?? String(i)),
      make("span", {}, bar),
      make("span", { className: `value${best}` }, `${(100 * share).toFixed(1)} %`),
    ];
  });
  box.replaceChildren(make("div", { className: "bars" }, ...rows));
}
