/** User properties that say what a dataset is and whose: `reddwarf:<name>`. Only what is set on the dataset itself counts, since marks are inherited. */
import type { PropertyValue } from "./ZfsOutput.js"
import * as PropertyName from "./PropertyName.js"

/** What every mark begins with. @category models */
export const prefix = "reddwarf:"

const markName = /^[a-z0-9][a-z0-9._-]{0,99}$/

/** Marks by name, without their prefix. @category models */
export type Marks = Readonly<Record<string, string>>

/** The marks of a dataset. Values that came with a received stream count; inherited ones do not. @category combinators */
export const read = (properties: ReadonlyMap<string, PropertyValue>): Marks =>
  Object.fromEntries(
    [...properties].flatMap(([name, { source, value }]) =>
      name.startsWith(prefix) && (source === "local" || source === "received")
        ? [[name.slice(prefix.length), value] as const]
        : []
    )
  )

/** The marks as properties. @category combinators */
export const toProperties = (marks: Marks): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(marks).map(([name, value]) => [`${prefix}${name}`, value]))

/** What is wrong with the marks; `undefined` when nothing is. @category combinators */
export const problem = (marks: Marks): string | undefined => {
  for (const [name, value] of Object.entries(marks)) {
    if (!markName.test(name)) return `${name} must be a lower case name with 1 to ${PropertyName.maxValueBytes} bytes of printable text`
    const wrong = PropertyName.valueProblem(name, value)
    if (wrong !== undefined) return wrong
  }
  return undefined
}
