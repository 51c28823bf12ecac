import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { basePython, ensureFolder, oracleCache, runProgram } from './environment';

const release = 'cdt==0.6.0';
const member = 'cdt/data/resources/cyto_full_data.csv';
const sha256 = 'fc331dcd0bc1d8765986b88cd1d23dd5a3f52e4ffc299fdf96de9d522ddf01aa';

/**
 * The protein levels of Sachs et al. (Science, 2005): 7,466 cells x 11 proteins, from the wheel of the Python package
 * `cdt`, fetched once into the user's cache. The package is MIT; the table's own terms are not stated, so it is not copied
 * into the repository.
 *
 * @returns path of the CSV file.
 */
export async function ensureProteinTable(): Promise<string> {
  const folder = path.join(oracleCache, 'proteins-cdt-0.6.0');
  const file = path.join(folder, member);
  await ensureFolder(folder, async () => {
    await runProgram(basePython, ['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', folder, release]);
    const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'));
    if (!wheel) throw new Error(`pip downloaded no wheel of ${release}`);
    const extract = 'import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extract(sys.argv[2], sys.argv[3])';
    await runProgram(basePython, ['-c', extract, path.join(folder, wheel), member, folder]);
    const found = createHash('sha256')
      .update(await readFile(file))
      .digest('hex');
    if (found !== sha256) throw new Error(`${member} of ${release} has SHA-256 ${found} instead of ${sha256}`);
  });
  return file;
}
