/** Columns that several kinds share. */
import type { Column } from "../Kind.js"
import { formatAge } from "../HumanDuration.js"

/** A text column that every listing shows. */
export const text = (name: string, description: string): Column => ({ name, type: "string", description, priority: 0 })

/** A text column that only wide listings show. */
export const wide = (name: string, description: string): Column => ({ name, type: "string", description, priority: 1 })

/** The name of the object; clients put the kind in front of it when they list several kinds. */
export const name: Column = {
  name: "Name",
  type: "string",
  format: "name",
  description: "Name of the object, unique in its namespace.",
  priority: 0
}

/** Time since the object was stored first. */
export const age: Column = text("Age", "Time since the server stored the object first.")

/** The cell of `age`. */
export const ageCell = (object: { readonly metadata: { readonly creationTimestamp?: string } }, now: number): string =>
  formatAge(object.metadata.creationTimestamp, now)

/** What wide cells show for an empty value. */
export const none = "<none>"

/** The text, or `<none>` for nothing. */
export const orNone = (value: string | undefined): string => (value === undefined || value === "" ? none : value)
