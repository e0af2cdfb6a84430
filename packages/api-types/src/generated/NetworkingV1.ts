// Written by tooling/generate-api from the Kubernetes Go API sources; do not edit.
import type * as CoreV1 from "./CoreV1.js"
import type * as MetaV1 from "./MetaV1.js"

/** Known values of PolicyType; a newer peer may send others. */
export type PolicyType = "Ingress" | "Egress" | (string & Record<never, never>)

/** `io.k8s.api.networking.v1.HTTPIngressPath` */
export interface HTTPIngressPath {
  readonly path?: string
  readonly pathType: string
  readonly backend: IngressBackend
}

/** `io.k8s.api.networking.v1.HTTPIngressRuleValue` */
export interface HTTPIngressRuleValue {
  readonly paths: ReadonlyArray<HTTPIngressPath>
}

/** `io.k8s.api.networking.v1.IPAddress` */
export interface IPAddress {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec: IPAddressSpec
}

/** `io.k8s.api.networking.v1.IPAddressList` */
export interface IPAddressList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<IPAddress>
}

/** `io.k8s.api.networking.v1.IPAddressSpec` */
export interface IPAddressSpec {
  readonly parentRef: ParentReference
}

/** `io.k8s.api.networking.v1.IPBlock` */
export interface IPBlock {
  readonly cidr: string
  readonly except?: ReadonlyArray<string>
}

/** `io.k8s.api.networking.v1.Ingress` */
export interface Ingress {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec?: IngressSpec
  readonly status?: IngressStatus
}

/** `io.k8s.api.networking.v1.IngressBackend` */
export interface IngressBackend {
  readonly service?: IngressServiceBackend
  readonly resource?: CoreV1.TypedLocalObjectReference
}

/** `io.k8s.api.networking.v1.IngressClass` */
export interface IngressClass {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec?: IngressClassSpec
}

/** `io.k8s.api.networking.v1.IngressClassList` */
export interface IngressClassList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<IngressClass>
}

/** `io.k8s.api.networking.v1.IngressClassParametersReference` */
export interface IngressClassParametersReference {
  readonly apiGroup?: string
  readonly kind: string
  readonly name: string
  readonly scope?: string
  readonly namespace?: string
}

/** `io.k8s.api.networking.v1.IngressClassSpec` */
export interface IngressClassSpec {
  readonly controller?: string
  readonly parameters?: IngressClassParametersReference
}

/** `io.k8s.api.networking.v1.IngressList` */
export interface IngressList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<Ingress>
}

/** `io.k8s.api.networking.v1.IngressLoadBalancerIngress` */
export interface IngressLoadBalancerIngress {
  readonly ip?: string
  readonly hostname?: string
  readonly ports?: ReadonlyArray<IngressPortStatus>
}

/** `io.k8s.api.networking.v1.IngressLoadBalancerStatus` */
export interface IngressLoadBalancerStatus {
  readonly ingress?: ReadonlyArray<IngressLoadBalancerIngress>
}

/** `io.k8s.api.networking.v1.IngressPortStatus` */
export interface IngressPortStatus {
  readonly port: number
  readonly protocol: CoreV1.Protocol
  readonly error?: string
}

/** `io.k8s.api.networking.v1.IngressRule` */
export interface IngressRule extends IngressRuleValue {
  readonly host?: string
}

/** `io.k8s.api.networking.v1.IngressRuleValue` */
export interface IngressRuleValue {
  readonly http?: HTTPIngressRuleValue
}

/** `io.k8s.api.networking.v1.IngressServiceBackend` */
export interface IngressServiceBackend {
  readonly name: string
  readonly port?: ServiceBackendPort
}

/** `io.k8s.api.networking.v1.IngressSpec` */
export interface IngressSpec {
  readonly ingressClassName?: string
  readonly defaultBackend?: IngressBackend
  readonly tls?: ReadonlyArray<IngressTLS>
  readonly rules?: ReadonlyArray<IngressRule>
}

/** `io.k8s.api.networking.v1.IngressStatus` */
export interface IngressStatus {
  readonly loadBalancer?: IngressLoadBalancerStatus
}

/** `io.k8s.api.networking.v1.IngressTLS` */
export interface IngressTLS {
  readonly hosts?: ReadonlyArray<string>
  readonly secretName?: string
}

/** `io.k8s.api.networking.v1.NetworkPolicy` */
export interface NetworkPolicy {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec?: NetworkPolicySpec
}

/** `io.k8s.api.networking.v1.NetworkPolicyEgressRule` */
export interface NetworkPolicyEgressRule {
  readonly ports?: ReadonlyArray<NetworkPolicyPort>
  readonly to?: ReadonlyArray<NetworkPolicyPeer>
}

/** `io.k8s.api.networking.v1.NetworkPolicyIngressRule` */
export interface NetworkPolicyIngressRule {
  readonly ports?: ReadonlyArray<NetworkPolicyPort>
  readonly from?: ReadonlyArray<NetworkPolicyPeer>
}

/** `io.k8s.api.networking.v1.NetworkPolicyList` */
export interface NetworkPolicyList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<NetworkPolicy>
}

/** `io.k8s.api.networking.v1.NetworkPolicyPeer` */
export interface NetworkPolicyPeer {
  readonly podSelector?: MetaV1.LabelSelector
  readonly namespaceSelector?: MetaV1.LabelSelector
  readonly ipBlock?: IPBlock
}

/** `io.k8s.api.networking.v1.NetworkPolicyPort` */
export interface NetworkPolicyPort {
  readonly protocol?: CoreV1.Protocol
  readonly port?: number | string
  readonly endPort?: number
}

/** `io.k8s.api.networking.v1.NetworkPolicySpec` */
export interface NetworkPolicySpec {
  readonly podSelector?: MetaV1.LabelSelector
  readonly ingress?: ReadonlyArray<NetworkPolicyIngressRule>
  readonly egress?: ReadonlyArray<NetworkPolicyEgressRule>
  readonly policyTypes?: ReadonlyArray<string>
}

/** `io.k8s.api.networking.v1.ParentReference` */
export interface ParentReference {
  readonly group?: string
  readonly resource: string
  readonly namespace?: string
  readonly name: string
}

/** `io.k8s.api.networking.v1.ServiceBackendPort` */
export interface ServiceBackendPort {
  readonly name?: string
  readonly number?: number
}

/** `io.k8s.api.networking.v1.ServiceCIDR` */
export interface ServiceCIDR {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec?: ServiceCIDRSpec
  readonly status?: ServiceCIDRStatus
}

/** `io.k8s.api.networking.v1.ServiceCIDRList` */
export interface ServiceCIDRList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<ServiceCIDR>
}

/** `io.k8s.api.networking.v1.ServiceCIDRSpec` */
export interface ServiceCIDRSpec {
  readonly cidrs?: ReadonlyArray<string>
}

/** `io.k8s.api.networking.v1.ServiceCIDRStatus` */
export interface ServiceCIDRStatus {
  readonly conditions?: ReadonlyArray<MetaV1.Condition>
}
