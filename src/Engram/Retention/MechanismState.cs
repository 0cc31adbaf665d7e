using System.Text.Json.Nodes;
using Engram.Persistence;

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

    /// <summary>Shape of the samples learnt, where a file says so.</summary>
    internal IReadOnlyList<long>? InputShape { get; init; }

    /// <summary>Refuses a file that lets something be built which it has no numbers for; asked before anything is.</summary>
    /// <param name="tensor">Name of the tensor that would fill it.</param>
    /// <param name="numbers">How many numbers would be built.</param>
    /// <exception cref="FormatException">The tensor is missing or has fewer.</exception>
    internal void Require(string tensor, double numbers)
    {
        var there = Tensors.TryGetValue(tensor, out var saved) ? saved.numel() : 0;
        if (!(numbers <= there)) throw new FormatException($"{tensor}: {there} numbers, expected {numbers:0} or more");
    }

    /// <summary>A class count that a file states.</summary>
    /// <param name="value">The value's name.</param>
    /// <exception cref="FormatException">It is negative or more than the learner knew.</exception>
    internal int ClassCount(string value)
    {
        var count = Values.Value<int>(value);
        return count >= 0 && count <= Classes ? count : throw new FormatException($"{value}: {count}, expected 0 to {Classes}");
    }

    /// <summary>Class ids that a file states.</summary>
    /// <param name="value">The value's name.</param>
    /// <param name="classes">How many classes there are.</param>
    /// <exception cref="FormatException">One is none of theirs.</exception>
    internal long[] ClassIds(string value, int classes)
    {
        var ids = Values.List<long>(value);
        return ids.All(id => id >= 0 && id < classes)
            ? ids : throw new FormatException($"{value}: [{string.Join(", ", ids)}], expected ids of {classes} classes");
    }

    /// <summary>A copy of a loaded tensor that must be there.</summary>
    /// <exception cref="FormatException">It is not.</exception>
    internal Tensor TakeSaved(string name) => Take(name) ?? throw new FormatException($"{name}: missing, expected a tensor");

    /// <summary>A copy of a loaded tensor that the mechanism may keep, or null where none was saved.</summary>
    /// <param name="name">Its name.</param>
    public Tensor? Take(string name) =>
        Tensors.TryGetValue(name, out var saved) ? saved.clone().DetachFromDisposeScope() : null;
}
