/** Endpoints: the addresses behind a service, in one object. EndpointSlices have taken their place. */
import type * as CoreV1 from "../generated/CoreV1.js"
import { age, ageCell, name, none, text } from "../internal/columns.js"
import { isIPv6 } from "../internal/fieldRules.js"
import { orElse } from "../internal/strings.js"
import * as Kind from "../Kind.js"
import { validateEndpoints } from "../validation/EndpointsValidation.js"

const defaults = (object: CoreV1.Endpoints): CoreV1.Endpoints =>
  object.subsets === undefined
    ? object
    : {
        ...object,
        subsets: object.subsets.map((subset) =>
          subset.ports === undefined
            ? subset
            : { ...subset, ports: subset.ports.map((port) => ({ ...port, protocol: orElse(port.protocol, "TCP") })) }
        )
      }

const shownAddresses = 3

const addressesCell = ({ subsets = [] }: CoreV1.Endpoints): string => {
  if (subsets.length === 0) return none
  const all = subsets.flatMap(({ addresses = [], ports = [] }) =>
    ports.length === 0
      ? addresses.map(({ ip }) => ip)
      : ports.flatMap(({ port }) => addresses.map(({ ip }) => (isIPv6(ip) ? `[${ip}]:${port}` : `${ip}:${port}`)))
  )
  const shown = all.slice(0, shownAddresses).join(",")
  return all.length > shownAddresses ? `${shown} + ${all.length - shownAddresses} more...` : shown
}

/** @category constructors */
export const endpoints: Kind.Kind<CoreV1.Endpoints> = Kind.make<CoreV1.Endpoints>({
  version: "v1",
  kind: "Endpoints",
  plural: "endpoints",
  singular: "endpoints",
  shortNames: ["ep"],
  namespaced: true,
  schema: "io.k8s.api.core.v1.Endpoints",
  listKind: "EndpointsList",
  allowCreateOnUpdate: true,
  deprecationWarning: "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
  defaults,
  validateContent: validateEndpoints,
  validateContentUpdate: validateEndpoints,
  columns: [name, text("Endpoints", "Addresses and ports that are ready."), age],
  cells: (object, now) => [object.metadata.name ?? "", addressesCell(object), ageCell(object, now)]
})
