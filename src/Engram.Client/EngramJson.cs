using System.Text.Json;
using System.Text.Json.Serialization;

namespace Engram.Client;

/// <summary>
/// How the contracts are written as JSON: camelCase names, enumerations as kebab-case words. Reading is strict: unknown, repeated and missing
/// members, null where nothing says that it may be, numbers in quotes and nesting deeper than 32 are refused.
/// </summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web, UseStringEnumConverter = false, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, NumberHandling = JsonNumberHandling.Strict,
    AllowDuplicateProperties = false, PropertyNameCaseInsensitive = false, MaxDepth = 32,
    RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true,
    Converters = [
        typeof(KebabEnum<InputKind>), typeof(KebabEnum<ColumnKind>), typeof(KebabEnum<GateMode>), typeof(KebabEnum<FeedbackState>),
        typeof(KebabEnum<VersionState>), typeof(KebabEnum<LearnerActivity>), typeof(KebabEnum<Role>)])]
[JsonSerializable(typeof(LearnerSpecification))]
[JsonSerializable(typeof(PredictRequest))]
[JsonSerializable(typeof(PredictResponse))]
[JsonSerializable(typeof(PredictBatchRequest))]
[JsonSerializable(typeof(PredictBatchResponse))]
[JsonSerializable(typeof(FeedbackRequest))]
[JsonSerializable(typeof(FeedbackBatchRequest))]
[JsonSerializable(typeof(FeedbackReceipt))]
[JsonSerializable(typeof(FeedbackBatchReceipt))]
[JsonSerializable(typeof(FeedbackStatus))]
[JsonSerializable(typeof(IReadOnlyList<VersionInfo>))]
[JsonSerializable(typeof(VersionDiff))]
[JsonSerializable(typeof(IReadOnlyList<PinnedExample>))]
[JsonSerializable(typeof(IReadOnlyList<LearnerDescription>))]
[JsonSerializable(typeof(WatchReport))]
[JsonSerializable(typeof(AccuracyOverVersions))]
[JsonSerializable(typeof(LearnerEvent))]
[JsonSerializable(typeof(IReadOnlyList<AuditEntry>))]
[JsonSerializable(typeof(CreateKeyRequest))]
[JsonSerializable(typeof(CreatedKey))]
[JsonSerializable(typeof(IReadOnlyList<KeyInfo>))]
[JsonSerializable(typeof(ReasonRequest))]
[JsonSerializable(typeof(RollbackRequest))]
[JsonSerializable(typeof(AliasRequest))]
[JsonSerializable(typeof(PinExampleRequest))]
[JsonSerializable(typeof(SubjectExport))]
[JsonSerializable(typeof(SubjectDeletion))]
[JsonSerializable(typeof(ImportReceipt))]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(HealthReport))]
public sealed partial class EngramJson : JsonSerializerContext;

/// <summary>Writes an enumeration as kebab-case words.</summary>
/// <typeparam name="T">The enumeration.</typeparam>
public sealed class KebabEnum<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.KebabCaseLower, allowIntegerValues: false)
    where T : struct, Enum;
