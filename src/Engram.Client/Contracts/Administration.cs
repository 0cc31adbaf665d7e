using System.Text.Json;

namespace Engram.Client;

/// <summary>What a key allows; each includes those before it but for <see cref="Feedback"/>, which does not allow predictions.</summary>
public enum Role
{
    /// <summary>Ask for predictions.</summary>
    Predict,

    /// <summary>Send feedback.</summary>
    Feedback,

    /// <summary>Predict, send feedback, watch, learn, approve, roll back, export and delete subjects.</summary>
    Operate,

    /// <summary>Everything, of all learners: create and delete learners and keys too.</summary>
    Admin,
}

/// <summary>Asks for a key.</summary>
public sealed record CreateKeyRequest
{
    /// <summary>Its name, for the audit log.</summary>
    public required string Name { get; init; }

    /// <summary>What it allows.</summary>
    public IReadOnlyList<Role> Roles { get; set; } = [];

    /// <summary>The learners it is bound to; empty for all.</summary>
    public IReadOnlyList<string> Learners { get; set; } = [];

    /// <summary>When it ends; null never.</summary>
    public DateTimeOffset? Expires { get; set; }

    /// <summary>Why it is made, in words, for the audit log.</summary>
    public string? Reason { get; set; }
}

/// <summary>A key, without its secret.</summary>
public sealed record KeyInfo
{
    /// <summary>Its id, the first part of the key.</summary>
    public required string Id { get; init; }

    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>What it allows.</summary>
    public IReadOnlyList<Role> Roles { get; init; } = [];

    /// <summary>The learners it is bound to; empty for all.</summary>
    public IReadOnlyList<string> Learners { get; init; } = [];

    /// <summary>When it was made.</summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>When it ends.</summary>
    public DateTimeOffset? Expires { get; init; }
}

/// <summary>A new key; its secret is shown this once.</summary>
/// <param name="Key">What to send as <c>Authorization: Bearer</c>.</param>
/// <param name="Info">What it allows.</param>
public sealed record CreatedKey(string Key, KeyInfo Info);

/// <summary>Why a change is made, for the audit log.</summary>
/// <param name="Reason">In words.</param>
public sealed record ReasonRequest(string? Reason = null);

/// <summary>Where to roll back to.</summary>
/// <param name="Version">The version; null for the one published before.</param>
/// <param name="Reason">Why, in words.</param>
public sealed record RollbackRequest(int? Version = null, string? Reason = null);

/// <summary>Gives an alias to a version.</summary>
/// <param name="Version">The version.</param>
/// <param name="Reason">Why, in words.</param>
public sealed record AliasRequest(int Version, string? Reason = null);

/// <summary>Pins an example.</summary>
/// <param name="Input">The input.</param>
/// <param name="Label">The label it must get.</param>
/// <param name="Subject">Whom it is about, so that it can be found and deleted.</param>
/// <param name="Reason">Why, in words.</param>
public sealed record PinExampleRequest(JsonElement Input, string Label, string? Subject = null, string? Reason = null);

/// <summary>What is stored about a subject.</summary>
public sealed record SubjectExport
{
    /// <summary>The subject.</summary>
    public required string Subject { get; init; }

    /// <summary>Predictions kept.</summary>
    public IReadOnlyList<StoredPrediction> Predictions { get; init; } = [];

    /// <summary>Feedback kept.</summary>
    public IReadOnlyList<StoredFeedback> Feedback { get; init; } = [];

    /// <summary>Examples pinned.</summary>
    public IReadOnlyList<SubjectExample> Examples { get; init; } = [];
}

/// <summary>A pinned example as it is stored.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Added">When it was pinned.</param>
/// <param name="Label">The label it must get.</param>
/// <param name="Input">The input.</param>
public sealed record SubjectExample(string Id, DateTimeOffset Added, string Label, JsonElement Input);

/// <summary>A prediction as it is stored.</summary>
/// <param name="PredictionId">Its id.</param>
/// <param name="At">When.</param>
/// <param name="Version">The version that answered.</param>
/// <param name="Label">What it answered.</param>
/// <param name="Input">The input.</param>
public sealed record StoredPrediction(string PredictionId, DateTimeOffset At, int Version, string Label, JsonElement Input);

/// <summary>Feedback as it is stored.</summary>
/// <param name="Sequence">Its place in the log.</param>
/// <param name="At">When it came.</param>
/// <param name="Label">The label, if one was given.</param>
/// <param name="Reward">The reward, if one was given.</param>
/// <param name="Input">The input; null while it waits for its prediction, and when it was dropped for its age.</param>
/// <param name="Learnt">Whether the published version has learnt it.</param>
public sealed record StoredFeedback(long Sequence, DateTimeOffset At, string? Label, double? Reward, JsonElement? Input, bool Learnt);

/// <summary>What deleting a subject did.</summary>
/// <param name="Predictions">Predictions deleted.</param>
/// <param name="Feedback">Feedbacks deleted.</param>
/// <param name="Examples">Pinned examples deleted.</param>
/// <param name="Unlearning"><c>done</c>: no version holds them any more; <c>started</c>: some version does yet; <c>none</c>: nothing of it had been learnt.</param>
/// <param name="HeldBy">
/// Versions that hold something deleted yet, by this or an earlier deletion: the published one until it has unlearnt it, and those with a pin
/// or an alias until that is taken away. Deleting the subject again tells how far it is.
/// </param>
public sealed record SubjectDeletion(long Predictions, long Feedback, long Examples, string Unlearning, IReadOnlyList<int> HeldBy);
