/**
 * Which groups there have been, by 64 bits of their keys: 8 to 16 bytes each, so
 * that a stream of millions of groups can be watched.
 *
 * @module
 */

const LOAD = 0.5;

/** Two hashes of 32 bits (FNV-1a, and the same backwards from another start). */
function hashes(key: string): readonly [number, number] {
  let [high, low] = [0x811c9dc5, 0x9e3779b9];
  for (let i = 0, j = key.length - 1; j >= 0; i++, j--) {
    high = Math.imul(high ^ key.charCodeAt(i), 0x01000193);
    low = Math.imul(low ^ key.charCodeAt(j), 0x01000193);
  }
  // 0 and 0 is what an empty place holds.
  return [high | 1, low | 0];
}

/** A set that only grows; `add` says whether the key is new. */
export function seenKeys(): { readonly add: (key: string) => boolean } {
  let table = new Int32Array(2 * 1024);
  let count = 0;
  const insert = (high: number, low: number): boolean => {
    const mask = table.length / 2 - 1;
    for (let at = (high ^ low) & mask;; at = (at + 1) & mask) {
      if (table[2 * at] === 0) {
        table[2 * at] = high;
        table[2 * at + 1] = low;
        return true;
      }
      if (table[2 * at] === high && table[2 * at + 1] === low) return false;
    }
  };
  const grow = () => {
    const old = table;
    table = new Int32Array(2 * old.length);
    for (let i = 0; i < old.length; i += 2) {
      if (old[i] !== 0) insert(old[i]!, old[i + 1]!);
    }
  };
  return {
    add: (key) => {
      if (count > LOAD * table.length / 2) grow();
      const isNew = insert(...hashes(key));
      if (isNew) count++;
      return isNew;
    },
  };
}
