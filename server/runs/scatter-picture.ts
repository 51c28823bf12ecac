import { encode } from 'fast-png';
import type { PointSamples } from '../experiments/experiment';

type Colour = readonly [red: number, green: number, blue: number];

const side = 640;
const background = 255;
const frame: Colour = [205, 208, 214];
const realLayer = { colour: [150, 154, 163] as Colour, opacity: 0.22, radius: 2.4 };
const generatedLayer = { colour: [22, 82, 201] as Colour, opacity: 0.55, radius: 2.1 };

/**
 * A PNG of points in the plane: the real ones faint, the generated ones strong over them. Where points lie on each other
 * the colour grows denser. The frame is fitted to the real points, so that the pictures of a run's steps can be laid over
 * each other; generated points outside of it lie on its edge. Of more than two dimensions the first two are drawn.
 */
export function scatterPicture(samples: PointSamples): Uint8Array {
  const view = fittedView(samples.real, samples.dimension);
  const picture = new Picture();
  picture.drawPoints(samples.real, samples.dimension, view, realLayer);
  picture.drawPoints(samples.generated, samples.dimension, view, generatedLayer);
  picture.drawFrame();
  return encode({ width: side, height: side, channels: 3, data: picture.pixels });
}

/** A square of the plane: its lower left corner and the pixels per unit. */
interface View {
  readonly left: number;
  readonly bottom: number;
  readonly scale: number;
}

function fittedView(points: Float32Array, dimension: number): View {
  const x = extentOf(points, dimension, 0);
  const y = extentOf(points, dimension, 1);
  const margin = 1.16;
  const width = Math.max(x.high - x.low, y.high - y.low) * margin || 2;
  return { left: (x.low + x.high - width) / 2, bottom: (y.low + y.high - width) / 2, scale: side / width };
}

function extentOf(points: Float32Array, dimension: number, coordinate: number): { low: number; high: number } {
  let low = Infinity;
  let high = -Infinity;
  for (let start = 0; start < points.length; start += dimension) {
    const value = coordinateOf(points, start, dimension, coordinate);
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? { low, high } : { low: -1, high: 1 };
}

/** Points on a line lie on the horizontal axis. */
function coordinateOf(points: Float32Array, start: number, dimension: number, coordinate: number): number {
  return coordinate < dimension ? points[start + coordinate]! : 0;
}

class Picture {
  readonly pixels = new Uint8Array(side * side * 3);

  constructor() {
    this.pixels.fill(background);
  }

  drawPoints(
    points: Float32Array,
    dimension: number,
    view: View,
    layer: { readonly colour: Colour; readonly opacity: number; readonly radius: number },
  ): void {
    // Discs are added up first: n of them let (1 - opacity)^n of what lies below shine through.
    const coverage = new Float32Array(side * side);
    for (let start = 0; start < points.length; start += dimension) {
      const x = (coordinateOf(points, start, dimension, 0) - view.left) * view.scale;
      const y = side - (coordinateOf(points, start, dimension, 1) - view.bottom) * view.scale;
      if (Number.isNaN(x) || Number.isNaN(y)) continue;
      addDisc(coverage, onPicture(x), onPicture(y), layer.radius);
    }
    for (let pixel = 0; pixel < coverage.length; pixel += 1) {
      const discs = coverage[pixel]!;
      if (discs > 0) this.blend(pixel, layer.colour, 1 - (1 - layer.opacity) ** discs);
    }
  }

  drawFrame(): void {
    for (let i = 0; i < side; i += 1) {
      for (const pixel of [i, (side - 1) * side + i, i * side, i * side + side - 1]) this.blend(pixel, frame, 1);
    }
  }

  private blend(pixel: number, colour: Colour, opacity: number): void {
    for (let channel = 0; channel < 3; channel += 1) {
      const index = pixel * 3 + channel;
      this.pixels[index] = Math.round(this.pixels[index]! * (1 - opacity) + colour[channel]! * opacity);
    }
  }
}

function onPicture(position: number): number {
  return Math.min(Math.max(position, 2), side - 3);
}

/** A disc with a soft edge of one pixel. */
function addDisc(coverage: Float32Array, x: number, y: number, radius: number): void {
  const reach = radius + 0.5;
  const top = Math.max(0, Math.floor(y - reach));
  const bottom = Math.min(side - 1, Math.floor(y + reach));
  const left = Math.max(0, Math.floor(x - reach));
  const right = Math.min(side - 1, Math.floor(x + reach));
  for (let row = top; row <= bottom; row += 1) {
    const dy = row + 0.5 - y;
    for (let column = left; column <= right; column += 1) {
      const dx = column + 0.5 - x;
      const inside = reach - Math.sqrt(dx * dx + dy * dy);
      if (inside > 0) coverage[row * side + column]! += Math.min(inside, 1);
    }
  }
}
