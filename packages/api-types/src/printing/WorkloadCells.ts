/** Cells that the tables of all kinds with a pod template share. */
import * as Either from "effect/Either"
import type * as CoreV1 from "../generated/CoreV1.js"
import type * as MetaV1 from "../generated/MetaV1.js"
import { none, wide } from "../internal/columns.js"
import type { Cell, Column } from "../Kind.js"
import * as LabelSelector from "../LabelSelector.js"

/** Names and images of the containers. @category models */
export const containerColumns: ReadonlyArray<Column> = [
  wide("Containers", "Names of the containers in the template."),
  wide("Images", "Images of the containers in the template.")
]

/** The pods that belong to the object. @category models */
export const selectorColumn: Column = wide("Selector", "Labels of the pods that belong to the object.")

/** A column of numbers. @category constructors */
export const count = (name: string, description: string): Column => ({ name, type: "integer", description, priority: 0 })

/** Cells of `containerColumns`. @category combinators */
export const containerCells = (template: CoreV1.PodTemplateSpec | undefined): ReadonlyArray<Cell> => {
  const containers = template?.spec?.containers ?? []
  return [containers.map(({ name }) => name).join(","), containers.map(({ image = "" }) => image).join(",")]
}

/** A selector as users write it, `<none>` for one that is absent or selects everything. @category combinators */
export const selectorCell = (selector: MetaV1.LabelSelector | undefined): string => {
  const parsed = LabelSelector.fromObject(selector)
  if (Either.isLeft(parsed)) return "<error>"
  const text = LabelSelector.format(parsed.right)
  return text === "" ? none : text
}

/** Labels in the order of their keys, `<none>` for none. @category combinators */
export const labelsCell = (labels: Readonly<Record<string, string>> | undefined): string =>
  Object.entries(labels ?? {})
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`)
    .join(",") || none
