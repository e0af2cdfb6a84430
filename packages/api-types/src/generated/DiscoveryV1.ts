// Written by tooling/generate-api from the Kubernetes Go API sources; do not edit.
import type * as CoreV1 from "./CoreV1.js"
import type * as MetaV1 from "./MetaV1.js"

/** `io.k8s.api.discovery.v1.Endpoint` */
export interface Endpoint {
  readonly addresses: ReadonlyArray<string>
  readonly conditions?: EndpointConditions
  readonly hostname?: string
  readonly targetRef?: CoreV1.ObjectReference
  readonly deprecatedTopology?: Readonly<Record<string, string>>
  readonly nodeName?: string
  readonly zone?: string
  readonly hints?: EndpointHints
}

/** `io.k8s.api.discovery.v1.EndpointConditions` */
export interface EndpointConditions {
  readonly ready?: boolean
  readonly serving?: boolean
  readonly terminating?: boolean
}

/** `io.k8s.api.discovery.v1.EndpointHints` */
export interface EndpointHints {
  readonly forZones?: ReadonlyArray<ForZone>
  readonly forNodes?: ReadonlyArray<ForNode>
}

/** `io.k8s.api.discovery.v1.EndpointPort` */
export interface EndpointPort {
  readonly name?: string
  readonly protocol?: CoreV1.Protocol
  readonly port?: number
  readonly appProtocol?: string
}

/** `io.k8s.api.discovery.v1.EndpointSlice` */
export interface EndpointSlice {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly addressType: string
  readonly endpoints?: ReadonlyArray<Endpoint>
  readonly ports?: ReadonlyArray<EndpointPort>
}

/** `io.k8s.api.discovery.v1.EndpointSliceList` */
export interface EndpointSliceList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<EndpointSlice>
}

/** `io.k8s.api.discovery.v1.ForNode` */
export interface ForNode {
  readonly name: string
}

/** `io.k8s.api.discovery.v1.ForZone` */
export interface ForZone {
  readonly name: string
}
