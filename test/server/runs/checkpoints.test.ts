import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  bestCheckpoint,
  newestReadableCheckpoint,
  pruneCheckpoints,
  readCheckpoint,
  writeCheckpoint,
} from '../../../server/runs/checkpoints';
import { decodeSafetensors, encodeSafetensors, SafetensorsError } from '../../../server/runs/safetensors';

const variables = new Map([
  ['generator/dense/kernel', { shape: [2, 3], values: Float32Array.of(1, -2, 3.5, NaN, Infinity, -0) }],
  ['step', { shape: [], values: Float32Array.of(16_777_216) }],
  ['Größe', { shape: [0, 4], values: new Float32Array() }],
]);

describe('safetensors', () => {
  it('give back every variable and the metadata, aligned to 8 bytes', () => {
    const content = encodeSafetensors(variables, { step: '7' });
    const { tensors, metadata } = decodeSafetensors(content);
    expect(tensors).toEqual(variables);
    expect(metadata['step']).toBe('7');
    expect((content.length - 4 * 7) % 8).toBe(0);
    // At an odd address too: a file read into a pool may begin anywhere.
    const shifted = new Uint8Array(content.length + 1);
    shifted.set(content, 1);
    expect(decodeSafetensors(shifted.subarray(1)).tensors).toEqual(variables);
  });

  it('are refused when they are cut off anywhere or any byte is changed', () => {
    const content = encodeSafetensors(variables, { step: '7' });
    for (let length = 0; length < content.length; length += 1) {
      expect(() => decodeSafetensors(content.subarray(0, length)), `cut at ${length}`).toThrow(SafetensorsError);
    }
    const header = Number(Buffer.from(content).readBigUInt64LE(0)) + 8;
    for (let position = header; position < content.length; position += 1) {
      const damaged = Uint8Array.from(content);
      damaged[position]! ^= 1;
      expect(() => decodeSafetensors(damaged), `byte ${position}`).toThrow('SHA-256');
    }
  });

  it.each([
    ['a header longer than the file', '{}', 1000],
    ['a header of an absurd length', '{}', 2 ** 52],
    ['a header that is not JSON', '{"a":', null],
    ['another number type', '{"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}', null],
    ['a shape that does not fit its data', '{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}', null],
    [
      'data that overlaps',
      '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}',
      null,
    ],
    ['data that ends before the file does', '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', null],
  ])('are refused with %s', (_, header, length) => {
    const prefix = Buffer.alloc(8);
    prefix.writeBigUInt64LE(BigInt(length ?? header.length));
    expect(() => decodeSafetensors(Buffer.concat([prefix, Buffer.from(header), Buffer.alloc(8)]))).toThrow(
      SafetensorsError,
    );
  });
});

describe('the checkpoints of a run', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mine-checkpoints-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });
  const write = (step: number, value?: number) =>
    writeCheckpoint(folder, step, variables, {
      run: 'a',
      experiment: 'gan',
      seconds: step / 10,
      best: value === undefined ? undefined : { metric: 'reverseKl', value },
    });

  it('are the newest and the best; half-written ones go', () => {
    write(100, 0.5);
    write(200, 0.1);
    write(300, 0.3);
    for (const step of [400, 500]) write(step);
    writeFileSync(join(folder, 'step-000000600.safetensors.123.partial'), 'half');
    const best = bestCheckpoint(folder, { metric: 'reverseKl', better: 'lower' });
    expect(best).toEqual({ step: 200, value: 0.1 });
    pruneCheckpoints(folder, 2, best!.step);
    expect(readdirSync(folder).sort()).toEqual([
      'step-000000200.safetensors',
      'step-000000400.safetensors',
      'step-000000500.safetensors',
    ]);
    expect(readCheckpoint(folder, 'step-000000200.safetensors')).toMatchObject({
      step: 200,
      variables,
      metadata: { run: 'a', seconds: '20.000', bestValue: '0.1' },
    });
  });

  it('are passed over from the newest back to one that can be read', () => {
    for (const step of [100, 200, 300]) write(step);
    truncateSync(join(folder, 'step-000000300.safetensors'), 50);
    const damaged = readFileSync(join(folder, 'step-000000200.safetensors'));
    damaged[damaged.length - 2]! ^= 4;
    writeFileSync(join(folder, 'step-000000200.safetensors'), damaged);
    const { checkpoint, skipped } = newestReadableCheckpoint(folder);
    expect(checkpoint).toMatchObject({ step: 100, variables });
    expect(skipped).toEqual([expect.stringContaining('cut off'), expect.stringContaining('SHA-256')]);
    write(150);
    pruneCheckpoints(folder, 1, null);
    expect(readdirSync(folder).sort()).toEqual([
      'step-000000150.safetensors',
      'step-000000200.safetensors.damaged',
      'step-000000300.safetensors.damaged',
    ]);
  });

  it('may be none', () => {
    expect(newestReadableCheckpoint(join(folder, 'nothing'))).toEqual({ checkpoint: null, skipped: [] });
  });
});
