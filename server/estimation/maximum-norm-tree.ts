const leafSize = 12;

/**
 * A k-d tree for the maximum norm. npm's trees search by Euclidean distance or in the plane only; the Kraskov estimator
 * needs nearest neighbours in the maximum norm, in any dimension, and counts within a radius.
 *
 * Points lie in tree order, so that a node is a range and a leaf is read from neighbouring memory. Each node's bounding
 * box prunes the search, and counts a node at once that lies wholly inside.
 */
export class MaximumNormTree {
  private readonly points: Float64Array;
  private readonly treeIndexOfRow: Int32Array;
  /** `[node, dimension]`; the children of node i are 2i + 1 and 2i + 2. */
  private readonly low: Float64Array;
  private readonly high: Float64Array;
  private readonly nearest: Float64Array;
  private center: Float64Array = new Float64Array(0);

  /**
   * @param values row-major `[rows, dimension]`, finite.
   * @param neighbours how many neighbours `neighbourDistance` looks for; fewer than `rows`.
   */
  constructor(
    values: Float64Array,
    private readonly rows: number,
    private readonly dimension: number,
    neighbours = 1,
  ) {
    this.nearest = new Float64Array(neighbours);
    let nodes = 1;
    for (let size = rows; size > leafSize; size = Math.ceil(size / 2)) nodes = 2 * nodes + 1;
    this.low = new Float64Array(nodes * dimension).fill(Infinity);
    this.high = new Float64Array(nodes * dimension).fill(-Infinity);
    const order = Int32Array.from({ length: rows }, (_, row) => row);
    this.split(values, order, 0, 0, rows);
    this.points = new Float64Array(rows * dimension);
    this.treeIndexOfRow = new Int32Array(rows);
    order.forEach((row, index) => {
      this.treeIndexOfRow[row] = index;
      this.points.set(values.subarray(row * dimension, (row + 1) * dimension), index * dimension);
    });
  }

  /** Distance of a row to its k-th nearest other row, k as given to the constructor. */
  neighbourDistance(row: number): number {
    const self = this.treeIndexOfRow[row]!;
    this.center = this.points.subarray(self * this.dimension, (self + 1) * this.dimension);
    this.nearest.fill(Infinity);
    this.searchNearest(0, 0, this.rows, self);
    return this.nearest[this.nearest.length - 1]!;
  }

  /** How many other rows lie strictly within `radius` of a row. */
  countWithin(row: number, radius: number): number {
    const self = this.treeIndexOfRow[row]!;
    this.center = this.points.subarray(self * this.dimension, (self + 1) * this.dimension);
    // The row itself is counted, at distance 0, unless nothing can be strictly within.
    return radius > 0 ? this.count(0, 0, this.rows, radius) - 1 : 0;
  }

  private split(values: Float64Array, order: Int32Array, node: number, start: number, end: number): void {
    const { dimension, low, high } = this;
    const box = node * dimension;
    let widest = 0;
    for (let axis = 0; axis < dimension; axis++) {
      for (let index = start; index < end; index++) {
        const value = values[order[index]! * dimension + axis]!;
        if (value < low[box + axis]!) low[box + axis] = value;
        if (value > high[box + axis]!) high[box + axis] = value;
      }
      if (high[box + axis]! - low[box + axis]! > high[box + widest]! - low[box + widest]!) widest = axis;
    }
    if (end - start <= leafSize) return;
    const middle = (start + end + 1) >> 1;
    select(values, order, dimension, widest, start, end - 1, middle);
    this.split(values, order, 2 * node + 1, start, middle);
    this.split(values, order, 2 * node + 2, middle, end);
  }

  private boxDistance(node: number): number {
    const { dimension, low, high, center } = this;
    let distance = 0;
    for (let axis = 0, at = node * dimension; axis < dimension; axis++, at++) {
      const outside = Math.max(low[at]! - center[axis]!, center[axis]! - high[at]!);
      if (outside > distance) distance = outside;
    }
    return distance;
  }

  private searchNearest(node: number, start: number, end: number, self: number): void {
    const { nearest, points, center, dimension } = this;
    const last = nearest.length - 1;
    if (end - start > leafSize) {
      const middle = (start + end + 1) >> 1;
      const left = this.boxDistance(2 * node + 1);
      const right = this.boxDistance(2 * node + 2);
      const leftFirst = left < right || (left === right && self < middle);
      if (leftFirst && left < nearest[last]!) this.searchNearest(2 * node + 1, start, middle, self);
      if (right < nearest[last]!) this.searchNearest(2 * node + 2, middle, end, self);
      if (!leftFirst && left < nearest[last]!) this.searchNearest(2 * node + 1, start, middle, self);
      return;
    }
    for (let index = start; index < end; index++) {
      if (index === self) continue;
      const limit = nearest[last]!;
      let distance = 0;
      for (let axis = 0, at = index * dimension; axis < dimension && distance < limit; axis++, at++) {
        const along = Math.abs(points[at]! - center[axis]!);
        if (along > distance) distance = along;
      }
      if (distance >= limit) continue;
      let place = last;
      for (; place > 0 && nearest[place - 1]! > distance; place--) nearest[place] = nearest[place - 1]!;
      nearest[place] = distance;
    }
  }

  private count(node: number, start: number, end: number, radius: number): number {
    const { points, center, dimension, low, high } = this;
    let inside = true;
    for (let axis = 0, at = node * dimension; axis < dimension; axis++, at++) {
      // The same subtraction as for a single point, so that a point on the rim of the box counts alike either way.
      const below = center[axis]! - low[at]!;
      const above = high[at]! - center[axis]!;
      if (-below >= radius || -above >= radius) return 0;
      if (below >= radius || above >= radius) inside = false;
    }
    if (inside) return end - start;
    if (end - start > leafSize) {
      const middle = (start + end + 1) >> 1;
      return this.count(2 * node + 1, start, middle, radius) + this.count(2 * node + 2, middle, end, radius);
    }
    let total = 0;
    for (let index = start; index < end; index++) {
      let axis = 0;
      for (let at = index * dimension; axis < dimension; axis++, at++) {
        if (Math.abs(points[at]! - center[axis]!) >= radius) break;
      }
      if (axis === dimension) total++;
    }
    return total;
  }
}

/** Quickselect (Hoare): afterwards `order[middle]` is in its sorted place along `axis`, smaller ones before it. */
function select(
  values: Float64Array,
  order: Int32Array,
  dimension: number,
  axis: number,
  from: number,
  to: number,
  middle: number,
): void {
  let [left, right] = [from, to];
  while (left < right) {
    const pivot = values[order[(left + right) >> 1]! * dimension + axis]!;
    let [i, j] = [left, right];
    while (i <= j) {
      while (values[order[i]! * dimension + axis]! < pivot) i++;
      while (values[order[j]! * dimension + axis]! > pivot) j--;
      if (i > j) break;
      const swapped = order[i]!;
      order[i++] = order[j]!;
      order[j--] = swapped;
    }
    if (middle <= j) right = j;
    else if (middle >= i) left = i;
    else return;
  }
}
