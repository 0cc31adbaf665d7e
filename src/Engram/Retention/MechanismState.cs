using System.Text.Json.Nodes;

namespace Engram.Retention;

/// <summary>The state of one mechanism as named tensors and values.</summary>
public sealed class MechanismState
{
    /// <summary>Tensors by name. On saving they stay the mechanism's; on loading the mechanism clones what it keeps.</summary>
    public IDictionary<string, Tensor> Tensors { get; } = new Dictionary<string, Tensor>();

    /// <summary>Other values, as JSON.</summary>
    public JsonObject Values { get; init; } = [];

    /// <summary>On loading, how many numbers the saved model has: a model brought to its structure has no more.</summary>
    public long ModelNumbers { get; init; } = long.MaxValue;

    /// <summary>On loading, how many classes the saved learner knew: class ids in kept targets are below.</summary>
    internal int Classes { get; init; } = int.MaxValue;

    /// <summary>A copy of a loaded tensor that the mechanism may keep, or null where none was saved.</summary>
    /// <param name="name">Its name.</param>
    public Tensor? Take(string name) =>
        Tensors.TryGetValue(name, out var saved) ? saved.clone().DetachFromDisposeScope() : null;
}
