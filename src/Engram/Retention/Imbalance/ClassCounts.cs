using System.Text.Json.Nodes;
using Engram.Learning;
using Engram.Persistence;

namespace Engram.Retention;

/// <summary>How many training samples of every class came by, over all experiences.</summary>
internal sealed class ClassCounts
{
    private readonly List<long> _counts = [];

    public IReadOnlyList<long> Counts => _counts;

    /// <summary>Counts the training data of an experience; once, before its first step.</summary>
    public void Add(LearningContext context)
    {
        while (_counts.Count < context.Classes.Count) _counts.Add(0);
        var idOf = context.Source.Labels.Select((_, code) => context.Targets.IdOf(context.Source, code)).ToArray();
        foreach (var code in context.Source.Codes.Span) _counts[idOf[code]]++;
    }

    /// <summary>log π of each class, float32 <c>[classes]</c>; a class without samples counts as having one.</summary>
    public Tensor LogPrior()
    {
        var counts = _counts.ConvertAll(count => (double)Math.Max(1, count));
        var total = counts.Sum();
        return tensor(counts.ConvertAll(count => (float)Math.Log(count / total)).ToArray());
    }

    public void Save(MechanismState state) =>
        state.Values["counts"] = new JsonArray([.. _counts.Select(count => (JsonNode)count)]);

    public void Load(MechanismState state)
    {
        _counts.Clear();
        _counts.AddRange(state.Values.List<long>("counts"));
    }
}
