/** Server-side tables: the columns and cells that `kubectl get` prints. */
import type { Cell, Column, Kind, RowCondition } from "./Kind.js"
import type { KubeObject } from "./KubeObject.js"

export { formatAge, humanDuration } from "./HumanDuration.js"

/** One row: cells of all columns, also those of priority 1. @category models */
export interface Row<A extends KubeObject = KubeObject> {
  readonly cells: ReadonlyArray<Cell>
  readonly conditions: ReadonlyArray<RowCondition>
  readonly object: A
}

/** A column as the wire has it: `format` is empty when there is none. @category models */
export interface ColumnDefinition {
  readonly name: string
  readonly type: string
  readonly format: string
  readonly description: string
  readonly priority: number
}

const toDefinition = ({ name, type, format, description, priority }: Column): ColumnDefinition => ({
  name,
  type,
  format: format ?? "",
  description,
  priority
})

/** The columns of a kind as the wire has them. @category combinators */
export const columnDefinitions = (kind: Kind): ReadonlyArray<ColumnDefinition> => kind.columns.map(toDefinition)

/** One row per object; `now` is milliseconds since the epoch, for ages. @category combinators */
export const rows = <A extends KubeObject>(kind: Kind<A>, objects: ReadonlyArray<A>, now: number): ReadonlyArray<Row<A>> =>
  objects.map((object) => row(kind, object, now))

/** The row of one object. @category combinators */
export const row = <A extends KubeObject>(kind: Kind<A>, object: A, now: number): Row<A> => ({
  cells: kind.cells(object, now),
  conditions: kind.rowConditions?.(object) ?? [],
  object
})
