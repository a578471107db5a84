import { open, rename } from 'node:fs/promises';

/** Replaces a file as a whole, on the disk before it counts; only its owner may read it, whatever stood there before. */
export async function writePrivate(path: string, text: string): Promise<void> {
  const file = await open(`${path}.new`, 'w', 0o600);
  try {
    // `open` gives the mode to a new file only.
    await file.chmod(0o600);
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}
