/** Names and values of properties and hold tags, checked before they become part of a command. */

const native = /^[a-z][a-z0-9_]{0,63}$/
const user = /^(?=.{1,255}$)[a-z0-9][a-z0-9+._-]*:[a-z0-9:+._-]+$/

/** Longest value of a user property, in bytes: one more aborts some implementations. @category models */
export const maxValueBytes = 8191

/**
 * Whether the name is that of a user property: lower case letters, digits, `+`, `.`, `_`, `-` with a `:` between, at most 255 bytes.
 *
 * @category combinators
 */
export const isUser = (name: string): boolean => user.test(name)

/**
 * Whether a property may be called so: a native name such as `refquota`, or a user property such as `org.example:owner`.
 *
 * @category combinators
 */
export const is = (name: string): boolean => native.test(name) || isUser(name)

/**
 * What is wrong with a value; `undefined` when nothing is. Control characters are refused because the output of zfs separates columns
 * by tabs and rows by newlines.
 *
 * @category combinators
 */
export const valueProblem = (name: string, value: string): string | undefined => {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(value)) return `the value of ${name} holds a control character`
  if (Buffer.byteLength(value) > maxValueBytes) return `the value of ${name} is longer than ${maxValueBytes} bytes`
  // Not every ZFS takes an empty value, and none tells it from an unset one.
  if (value === "") return `the value of ${name} is empty; inherit the property instead`
  return undefined
}

/**
 * What is wrong with properties as a whole; `undefined` when nothing is.
 *
 * @category combinators
 */
export const problem = (properties: Readonly<Record<string, string>>): string | undefined => {
  for (const [name, value] of Object.entries(properties)) {
    if (!is(name)) return `'${name}' is no property name`
    const wrong = valueProblem(name, value)
    if (wrong !== undefined) return wrong
  }
  return undefined
}

/**
 * Whether the text can be the tag of a hold: letters, digits, `_`, `.`, `:`, `-`, at most 200 bytes, beginning with a letter or digit.
 *
 * @category combinators
 */
export const isTag = (tag: string): boolean => /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,199}$/.test(tag)
