using Engram.Data;
using Engram.Learning;
using Engram.Retention;

namespace Engram.Memory;

/// <summary>Rows of samples in their own tensors: inputs as stored, targets, tasks, and named columns of floats.</summary>
/// <remarks>
/// Space is taken in doublings up to the capacity, as a function of the number of rows alone. Columns of values grow in
/// width when the head does; what older rows do not have is NaN.
/// </remarks>
internal sealed class SampleStore(int capacity) : IDisposable
{
    private const int FirstRows = 256;
    private const string Extra = "extra/";

    private readonly SortedDictionary<string, Tensor> _columns = new(StringComparer.Ordinal);

    public long Bytes => _columns.Values.Sum(column => column.numel() * column.element_size());

    /// <summary>Writes samples over the rows at <paramref name="slots"/>; <paramref name="count"/> rows are in use after it.</summary>
    public void Write(long[] slots, long[] rows, BatchPart part, IReadOnlyDictionary<string, Tensor>? extras, int count)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        Put("raw", part.Raw);
        Put("targets", part.Targets);
        if (part.Tasks is not null) Put("tasks", part.Tasks);
        foreach (var (name, values) in extras ?? new Dictionary<string, Tensor>()) Put(Extra + name, values);

        void Put(string name, Tensor values)
        {
            var column = Room(name, values, count);
            if (Rows.TryWrite(column, slots, values, rows)) return;
            var chosen = values.detach().index_select(0, tensor(rows));
            if (chosen.dim() == 2 && chosen.size(1) < column.size(1))
            {
                var wide = full(chosen.size(0), column.size(1), Held(float.NaN));
                wide.narrow(1, 0, chosen.size(1)).copy_(chosen);
                chosen = wide;
            }
            column.index_copy_(0, tensor(slots), chosen);
        }
    }

    public BatchPart Read(LearningContext context, long[] slots)
    {
        var (raw, targets, tasks) = ReadStored(slots);
        return context.Targets.Part(raw, Widened(targets, context), tasks);
    }

    public (Tensor Raw, Tensor Targets, Tensor? Tasks) ReadStored(long[] slots) => (
        Rows.Gather(_columns["raw"], slots), Rows.Gather(_columns["targets"], slots),
        _columns.TryGetValue("tasks", out var tasks) ? Rows.Gather(tasks, slots) : null);

    public Tensor ReadExtra(string name, long[] slots) => _columns.TryGetValue(Extra + name, out var column)
        ? Rows.Gather(column, slots)
        : throw new ArgumentException($"name: {name} was never stored", nameof(name));

    public void Save(MechanismState state, int count)
    {
        foreach (var (name, column) in _columns) state.Tensors[name] = column.narrow(0, 0, count);
    }

    public void Load(MechanismState state)
    {
        using var scope = NewDisposeScope();
        Check(state);
        foreach (var (name, rows) in state.Tensors.Where(pair => pair.Key is "raw" or "targets" or "tasks" || pair.Key.StartsWith(Extra, StringComparison.Ordinal)))
            Room(name, rows, (int)rows.size(0)).narrow(0, 0, rows.size(0)).copy_(rows);
    }

    // Torch would find a class out of range only in a later step, in words of its own.
    private static void Check(MechanismState state)
    {
        if (!state.Tensors.TryGetValue("targets", out var targets) || targets.size(0) != state.Tensors["raw"].size(0))
            throw new FormatException("targets: expected one for each sample in raw");
        if (targets.dtype == ScalarType.Int64 && targets.ge(Held(0)).logical_and(targets.lt(Held(state.Classes))).logical_not_().any().item<bool>())
            throw new FormatException($"targets: expected class ids from 0 to {state.Classes - 1}");
    }

    public void Dispose()
    {
        foreach (var column in _columns.Values) column.Dispose();
        _columns.Clear();
    }

    // Values of samples stored before the head grew: the new outputs are unknown for them.
    private static Tensor Widened(Tensor targets, LearningContext context)
    {
        if (targets.dim() != 2 || targets.size(1) >= context.Classes.Count) return targets;
        var wide = full(targets.size(0), context.Classes.Count, Held(float.NaN));
        wide.narrow(1, 0, targets.size(1)).copy_(targets);
        return wide;
    }

    private Tensor Room(string name, Tensor like, int count)
    {
        long rows = Math.Min(capacity, (long)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(count, FirstRows)));
        var old = _columns.GetValueOrDefault(name);
        var (wide, width) = (like.dim() == 2 && like.is_floating_point() && name != "raw", like.dim() == 2 ? like.size(1) : 0);
        if (old is not null && old.size(0) >= rows && (!wide || old.size(1) >= width)) return old;
        long[] shape = wide ? [rows, Math.Max(width, old?.size(1) ?? 0)] : [rows, .. like.shape[1..]];
        var room = wide ? full(shape, Held(float.NaN)) : empty(shape, like.dtype);
        if (old is not null)
        {
            var kept = room.narrow(0, 0, old.size(0));
            (wide ? kept.narrow(1, 0, old.size(1)) : kept).copy_(old);
            old.Dispose();
        }
        return _columns[name] = room.DetachFromDisposeScope();
    }
}
