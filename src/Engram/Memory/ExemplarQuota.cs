using Engram.Learning;

namespace Engram.Memory;

/// <summary>Fills a buffer with the same number of chosen exemplars per class, when an experience ends.</summary>
/// <remarks>
/// Rebuffi et al. 2017, algorithms 4 and 5: capacity / classes exemplars each; classes not in this experience drop their
/// last ones. A class that comes again chooses anew among its old exemplars and the new samples.
/// </remarks>
internal static class ExemplarQuota
{
    private const int Chunk = 512;

    /// <summary>Rebuilds the buffer.</summary>
    /// <param name="context">The experience just learnt.</param>
    /// <param name="buffer">What to fill.</param>
    /// <param name="choose">The rule: features <c>[n, d]</c> of one class and a count in, rows out.</param>
    public static void Fill(LearningContext context, ReplayBuffer buffer, Func<Tensor, int, long[]> choose)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var quota = Math.Max(1, buffer.Capacity / context.Classes.Count);
        var (rowsOf, codes) = (new Dictionary<int, List<long>>(), context.Source.Codes);
        var idOf = context.Source.Labels.Select((_, code) => context.Targets.IdOf(context.Source, code)).ToArray();
        for (var row = 0; row < codes.Length; row++)
        {
            if (!rowsOf.TryGetValue(idOf[codes.Span[row]], out var rows)) rowsOf[idOf[codes.Span[row]]] = rows = [];
            rows.Add(row);
        }
        var kept = new List<BatchPart>();
        for (var id = 0; id < context.Classes.Count; id++)
        {
            var slots = buffer.SlotsOfClass(id);
            if (!rowsOf.TryGetValue(id, out var rows))
            {
                if (slots.Length > 0) kept.Add(buffer.Read(context, slots[..Math.Min(quota, slots.Length)]));
                continue;
            }
            var old = slots.Length > 0 ? buffer.Read(context, slots) : null;
            var features = new List<Tensor>();
            if (old is not null) features.Add(context.Model.Backbone.forward(old.Inputs));
            foreach (var chunk in rows.Chunk(Chunk))
            {
                using var inner = NewDisposeScope();
                features.Add(context.Model.Backbone.forward(context.Fetch(chunk).Inputs).MoveToOuterDisposeScope());
            }
            foreach (var pick in choose(cat(features), quota))
                kept.Add(pick < slots.Length
                    ? buffer.Read(context, [slots[pick]])
                    : context.Fetch([rows[(int)pick - slots.Length]]));
        }
        buffer.Clear();
        foreach (var part in kept)
            for (var row = 0; row < part.Count && buffer.Count < buffer.Capacity; row++)
                buffer.Keep(part, row, context.Experience.Index);
    }
}
