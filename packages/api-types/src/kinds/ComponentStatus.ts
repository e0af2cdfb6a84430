/** ComponentStatus: a view of parts of the control plane that was given up. There are none; it can only be read. */
import type * as CoreV1 from "../generated/CoreV1.js"
import { name, text } from "../internal/columns.js"
import * as Kind from "../Kind.js"

const statusOf = (status: string): string => {
  if (status === "True") return "Healthy"
  return status === "False" ? "Unhealthy" : "Unknown"
}

/** @category constructors */
export const componentStatus: Kind.Kind<CoreV1.ComponentStatus> = Kind.make<CoreV1.ComponentStatus>({
  version: "v1",
  kind: "ComponentStatus",
  plural: "componentstatuses",
  shortNames: ["cs"],
  namespaced: false,
  schema: "io.k8s.api.core.v1.ComponentStatus",
  verbs: ["get", "list"],
  deprecationWarning: "v1 ComponentStatus is deprecated in v1.19+",
  columns: [
    name,
    text("Status", "Whether the component is healthy."),
    text("Message", "What the component says."),
    text("Error", "What is wrong with the component.")
  ],
  cells: (object) => {
    const healthy = object.conditions?.find(({ type }) => type === "Healthy")
    return [object.metadata.name ?? "", statusOf(healthy?.status ?? ""), healthy?.message ?? "", healthy?.error ?? ""]
  }
})
