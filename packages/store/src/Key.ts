/**
 * Keys of the store: `/<group or core>/<plural>/<namespace>/<name>`, or `/<group or core>/<plural>/<name>` for objects
 * outside of namespaces. The store itself only asks that a key can be ordered and stored.
 */

/** The longest key, in UTF-16 units. @category constructors */
export const maxLength = 1024

// A NUL ends a text value for several SQLite functions, a lone surrogate has no UTF-8 form, and U+10FFFF marks the end
// of a prefix (see `prefixEnd`).
const forbidden = /[\0\p{Surrogate}\u{10FFFF}]/u

/**
 * What is wrong with a key, or undefined when it can be used.
 *
 * @category combinators
 */
export const problem = (key: string): string | undefined => {
  if (key.length === 0) return "the key is empty"
  if (key.length > maxLength) return `the key has ${key.length} characters, at most ${maxLength} are allowed`
  return forbidden.test(key) ? `the key ${JSON.stringify(key)} holds a character that cannot be stored` : undefined
}

// UTF-16 puts the units of supplementary characters (D800-DFFF) before E000-FFFF, UTF-8 puts them after.
const fixUp = (unit: number): number => unit < 0xd800 ? unit : unit >= 0xe000 ? unit - 0x800 : unit + 0x2000

/**
 * The order of keys: by the bytes of their UTF-8 form, as SQLite and etcd order them. Negative when `a` comes first.
 *
 * @category combinators
 */
export const compare = (a: string, b: string): number => {
  if (a === b) return 0
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return x >= 0xd800 && y >= 0xd800 ? fixUp(x) - fixUp(y) : x - y
  }
  return a.length - b.length
}

/**
 * The first string after all keys that begin with `prefix`: keys in a prefix are those from `prefix` up to this one,
 * which is not included.
 *
 * @category combinators
 */
export const prefixEnd = (prefix: string): string => `${prefix}\u{10FFFF}`
