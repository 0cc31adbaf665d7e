using System.Text.Json.Nodes;
using Engram.Data;
using Engram.Persistence;
using Engram.Retention;

namespace Engram.Memory;

/// <summary>The greedy sampler of GDumb (Prabhu et al. 2020, algorithm 1): k samples, as equal a number of every label as can be.</summary>
internal sealed class GreedyBalancedMemory : IDisposable
{
    private List<Label> _labels = [];
    private int[] _codes = [];
    private Tensor? _raw;

    public IReadOnlyList<Label> Labels => _labels;

    public IReadOnlyList<int> Codes => _codes;

    public int Count => (int)(_raw?.size(0) ?? 0);

    /// <summary>Bytes of what is kept.</summary>
    public long Bytes => _raw is null ? 0 : _raw.numel() * _raw.element_size();

    /// <summary>This memory after one pass over new samples in random order.</summary>
    public GreedyBalancedMemory With(ISampleSource source, int capacity, SeededRandom random)
    {
        var labels = _labels.Concat(source.Labels).Distinct().ToList();
        var code = source.Labels.Select(label => labels.IndexOf(label)).ToArray();
        // Samples by label; those below _codes.Length are old, the rest new: _codes.Length + index in the source.
        var kept = labels.Select(_ => new List<int>()).ToArray();
        for (var i = 0; i < _codes.Length; i++) kept[_codes[i]].Add(i);
        var seen = labels.Select((_, label) => label < _labels.Count).ToArray();
        var (total, classes) = (_codes.Length, _labels.Count);
        foreach (var index in random.Permutation(source.Count))
        {
            var label = code[source.Codes.Span[index]];
            var own = kept[label];
            if (!seen[label]) classes++;
            // k_c = k / |Y| is no whole number: C < k_c lets classes differ by one, and no more.
            if (seen[label] && own.Count * (long)classes >= capacity) continue;
            seen[label] = true;
            if (total == capacity)
            {
                var largest = kept.MaxBy(list => list.Count)!;
                var gone = random.Next(largest.Count);
                largest[gone] = largest[^1];
                largest.RemoveAt(largest.Count - 1);
                total--;
            }
            own.Add(_codes.Length + index);
            total++;
        }
        return Gathered(source, labels, kept);
    }

    public TensorSource AsSource() => TensorSource.OfClasses(_raw!.alias(), _codes, _labels);

    public void Save(MechanismState state)
    {
        if (_raw is null) return;
        state.Tensors["raw"] = _raw;
        state.Tensors["codes"] = tensor(Array.ConvertAll(_codes, code => (long)code));
        state.Values["labels"] = new JsonArray([.. _labels.Select(label => (JsonNode)label.Name)]);
    }

    public void Load(MechanismState state)
    {
        if (!state.Tensors.TryGetValue("raw", out var raw)) return;
        var (codes, labels) = (state.Tensors["codes"].data<long>().ToArray(), state.Values.List<string>("labels"));
        if (codes.Length != raw.size(0) || codes.Any(code => code < 0 || code >= labels.Length))
            throw new FormatException($"codes: {codes.Length}, expected {raw.size(0)} of 0 to {labels.Length - 1}");
        _raw?.Dispose();
        _raw = state.Take("raw");
        _codes = Array.ConvertAll(codes, code => (int)code);
        _labels = [.. labels.Select(name => new Label(name))];
    }

    public void Dispose() => _raw?.Dispose();

    private GreedyBalancedMemory Gathered(ISampleSource source, List<Label> labels, List<int>[] kept)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var old = kept.SelectMany(list => list).Where(i => i < _codes.Length).ToArray();
        var added = kept.SelectMany(list => list).Where(i => i >= _codes.Length).Select(i => i - _codes.Length).ToArray();
        var parts = new List<Tensor>();
        if (old.Length > 0) parts.Add(_raw!.index_select(0, tensor(Array.ConvertAll(old, i => (long)i))));
        if (added.Length > 0) parts.Add(source.Gather(Array.ConvertAll(added, i => (long)i)).Inputs);
        int[] codes =
        [
            .. old.Select(i => _codes[i]),
            .. added.Select(i => labels.IndexOf(source.Labels[source.Codes.Span[i]])),
        ];
        return new GreedyBalancedMemory { _labels = labels, _codes = codes, _raw = cat(parts).DetachFromDisposeScope() };
    }
}
