// Written by tooling/generate-api from the Kubernetes Go API sources; do not edit.
import type * as MetaV1 from "./MetaV1.js"

/** Known values of FieldValueErrorReason; a newer peer may send others. */
export type FieldValueErrorReason = "FieldValueRequired" | "FieldValueDuplicate" | "FieldValueInvalid" | "FieldValueForbidden" | (string & Record<never, never>)

/** `io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.ConversionRequest` */
export interface ConversionRequest {
  readonly uid: string
  readonly desiredAPIVersion: string
  readonly objects: ReadonlyArray<unknown>
}

/** `io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.ConversionResponse` */
export interface ConversionResponse {
  readonly uid: string
  readonly convertedObjects: ReadonlyArray<unknown>
  readonly result: MetaV1.Status
}

/** `io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.ConversionReview` */
export interface ConversionReview {
  readonly apiVersion: string
  readonly kind: string
  readonly request?: ConversionRequest
  readonly response?: ConversionResponse
}

/** `io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceColumnDefinition` */
export interface CustomResourceColumnDefinition {
  readonly name: string
  readonly type: string
  readonly format?: string
  readonly description?: string
  readonly priority?: number
  readonly jsonPath: string
}

/** `io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceConversion` */
export interface CustomResourceConversion {
  readonly strategy: string
  readonly webhook?: WebhookConversion
}

/** `io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition` */
export interface CustomResourceDefinition {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec: CustomResourceDefinitionSpec
  readonly status?: CustomResourceDefinitionStatus
}

/** `io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionCondition` */
export interface CustomResourceDefinitionCondition {
  readonly type: string
  readonly status: string
  readonly lastTransitionTime?: string
  readonly reason?: string
  readonly message?: string
  readonly observedGeneration?: number
}

/** `io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionList` */
export interface CustomResourceDefinitionList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<CustomResourceDefinition>
}

/** `io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionNames` */
export interface CustomResourceDefinitionNames {
  readonly plural: string
  readonly singular?: string
  readonly shortNames?: ReadonlyArray<string>
  readonly kind: string
  readonly listKind?: string
  readonly categories?: ReadonlyArray<string>
}

/** `io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionSpec` */
export interface CustomResourceDefinitionSpec {
  readonly group: string
  readonly names: CustomResourceDefinitionNames
  readonly scope: string
  readonly versions: ReadonlyArray<CustomResourceDefinitionVersion>
  readonly conversion?: CustomResourceConversion
  readonly preserveUnknownFields?: boolean
}

/** `io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionStatus` */
export interface CustomResourceDefinitionStatus {
  readonly conditions?: ReadonlyArray<CustomResourceDefinitionCondition>
  readonly acceptedNames?: CustomResourceDefinitionNames
  readonly storedVersions?: ReadonlyArray<string>
  readonly observedGeneration?: number
}

/** `io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionVersion` */
export interface CustomResourceDefinitionVersion {
  readonly name: string
  readonly served: boolean
  readonly storage: boolean
  readonly deprecated?: boolean
  readonly deprecationWarning?: string
  readonly schema?: CustomResourceValidation
  readonly subresources?: CustomResourceSubresources
  readonly additionalPrinterColumns?: ReadonlyArray<CustomResourceColumnDefinition>
  readonly selectableFields?: ReadonlyArray<SelectableField>
}

/** `io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresourceScale` */
export interface CustomResourceSubresourceScale {
  readonly specReplicasPath: string
  readonly statusReplicasPath: string
  readonly labelSelectorPath?: string
}

/** `io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresourceStatus` */
export type CustomResourceSubresourceStatus = Readonly<Record<string, never>>

/** `io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresources` */
export interface CustomResourceSubresources {
  readonly status?: CustomResourceSubresourceStatus
  readonly scale?: CustomResourceSubresourceScale
}

/** `io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceValidation` */
export interface CustomResourceValidation {
  readonly openAPIV3Schema?: JSONSchemaProps
}

/** `io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.ExternalDocumentation` */
export interface ExternalDocumentation {
  readonly description?: string
  readonly url?: string
}

/** `io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps` */
export interface JSONSchemaProps {
  readonly id?: string
  readonly $schema?: string
  readonly $ref?: string
  readonly description?: string
  readonly type?: string
  readonly format?: string
  readonly title?: string
  readonly default?: unknown
  readonly maximum?: number
  readonly exclusiveMaximum?: boolean
  readonly minimum?: number
  readonly exclusiveMinimum?: boolean
  readonly maxLength?: number
  readonly minLength?: number
  readonly pattern?: string
  readonly maxItems?: number
  readonly minItems?: number
  readonly uniqueItems?: boolean
  readonly multipleOf?: number
  readonly enum?: ReadonlyArray<unknown>
  readonly maxProperties?: number
  readonly minProperties?: number
  readonly required?: ReadonlyArray<string>
  readonly items?: JSONSchemaProps | ReadonlyArray<JSONSchemaProps>
  readonly allOf?: ReadonlyArray<JSONSchemaProps>
  readonly oneOf?: ReadonlyArray<JSONSchemaProps>
  readonly anyOf?: ReadonlyArray<JSONSchemaProps>
  readonly not?: JSONSchemaProps
  readonly properties?: Readonly<Record<string, JSONSchemaProps>>
  readonly additionalProperties?: JSONSchemaProps | boolean
  readonly patternProperties?: Readonly<Record<string, JSONSchemaProps>>
  readonly dependencies?: Readonly<Record<string, JSONSchemaProps | ReadonlyArray<string>>>
  readonly additionalItems?: JSONSchemaProps | boolean
  readonly definitions?: Readonly<Record<string, JSONSchemaProps>>
  readonly externalDocs?: ExternalDocumentation
  readonly example?: unknown
  readonly nullable?: boolean
  readonly "x-kubernetes-preserve-unknown-fields"?: boolean
  readonly "x-kubernetes-embedded-resource"?: boolean
  readonly "x-kubernetes-int-or-string"?: boolean
  readonly "x-kubernetes-list-map-keys"?: ReadonlyArray<string>
  readonly "x-kubernetes-list-type"?: string
  readonly "x-kubernetes-map-type"?: string
  readonly "x-kubernetes-validations"?: ReadonlyArray<ValidationRule>
}

/** `io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.SelectableField` */
export interface SelectableField {
  readonly jsonPath: string
}

/** `io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.ServiceReference` */
export interface ServiceReference {
  readonly namespace: string
  readonly name: string
  readonly path?: string
  readonly port?: number
}

/** `io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.ValidationRule` */
export interface ValidationRule {
  readonly rule: string
  readonly message?: string
  readonly messageExpression?: string
  readonly reason?: FieldValueErrorReason
  readonly fieldPath?: string
  readonly optionalOldSelf?: boolean
}

/** `io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.WebhookClientConfig` */
export interface WebhookClientConfig {
  readonly url?: string
  readonly service?: ServiceReference
  readonly caBundle?: string
}

/** `io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.WebhookConversion` */
export interface WebhookConversion {
  readonly clientConfig?: WebhookClientConfig
  readonly conversionReviewVersions: ReadonlyArray<string>
}
