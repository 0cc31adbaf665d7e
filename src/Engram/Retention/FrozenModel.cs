using Engram.Data;
using Engram.Learning;
using Engram.Models;
using Engram.Persistence;

namespace Engram.Retention;

/// <summary>
/// A teacher: the model as it was, to ask what it would have said. It is a copy of the parameters and buffers only; a
/// forward pass lends them to the learner's own module, so any backbone works, a user's module too.
/// </summary>
public sealed class FrozenModel : IDisposable
{
    private const long LargestRecord = 1L << 28; // bytes

    private readonly SortedDictionary<string, Tensor> _buffers = new(StringComparer.Ordinal);
    private Tensor? _values;
    private Tensor? _recorded; // logits of all samples of an experience, [samples, classes]
    private int _recordedFor = -1; // experiences learnt before it

    /// <summary>Whether there is a teacher now.</summary>
    public bool Exists => _values is not null;

    /// <summary>How many classes the teacher knows: ids below are its.</summary>
    public int Classes { get; private set; }

    /// <summary>The teacher's parameters in the arena's present layout, or null; rows it did not have are zero.</summary>
    public Tensor? Values => _values;

    /// <summary>Bytes of parameters, buffers and recorded answers held.</summary>
    public long Bytes => new[] { _values, _recorded }.Concat(_buffers.Values).Sum(tensor => tensor is null ? 0 : Size(tensor));

    /// <summary>Takes the model as it is now; call it before the head grows.</summary>
    /// <param name="context">The learner's context.</param>
    public void Capture(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        using var _ = no_grad();
        Dispose();
        Classes = context.Classes.Count;
        _values = context.Arena.Values.clone().DetachFromDisposeScope();
        foreach (var (name, buffer) in context.Model.named_buffers())
            _buffers[name] = buffer.clone().DetachFromDisposeScope();
    }

    /// <summary>Brings the parameters into a new layout.</summary>
    /// <param name="change">What moved where.</param>
    public void Carry(ArenaChange change)
    {
        ArgumentNullException.ThrowIfNull(change);
        if (_values is not null) _values = change.Carry(_values);
    }

    /// <summary>What the teacher says, in evaluation mode and without gradients.</summary>
    /// <param name="context">The learner's context.</param>
    /// <param name="inputs">float32 <c>[n, ...]</c>, scaled.</param>
    /// <returns>Features <c>[n, features]</c>, and logits <c>[n, classes]</c> of the classes it knows.</returns>
    /// <remarks>
    /// It points the model's parameters elsewhere for a moment: never between a forward and its backward pass. Within a
    /// step, <see cref="RetentionMechanism.BeforeForward"/> is the place.
    /// </remarks>
    public (Tensor Features, Tensor Logits) Forward(LearningContext context, Tensor inputs)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (_values is null) throw new InvalidOperationException("teacher: none, expected Capture to be called first");
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var model = context.Model;
        var training = model.training;
        if (training) model.eval();
        try
        {
            using var parameters = context.Arena.Borrow(_values);
            using var buffers = new BufferLoan(model, _buffers);
            var features = model.Backbone.forward(inputs);
            var logits = model.Head.forward(features).narrow(1, 0, Classes);
            return (features.MoveToOuterDisposeScope(), logits.MoveToOuterDisposeScope());
        }
        finally
        {
            if (training) model.TrainMode(context.Completed);
        }
    }

    /// <summary>What the teacher says of the samples of a step, as <see cref="Forward"/> would.</summary>
    /// <param name="step">Its samples are there; call it from <see cref="RetentionMechanism.BeforeForward"/>.</param>
    /// <returns>Logits <c>[rows, classes]</c> of the classes it knows.</returns>
    /// <remarks>
    /// A teacher says the same in every epoch. So its answers to all samples of the experience are recorded when it is first asked (Li and Hoiem
    /// 2017, figure 3), unless they would take more than 256 MB or the experience ends before it has read them all. Samples that other mechanisms
    /// add are asked about anew.
    /// </remarks>
    public Tensor Answers(TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        var context = step.Context;
        if (_recordedFor != context.Completed) Record(context);
        if (_recorded is null || step.Parts[0] != step.Current) return Forward(context, step.Inputs).Logits;
        var answers = Rows.Gather(_recorded, step.Indices.Span);
        var (own, all) = (answers.size(0), step.Inputs.size(0));
        return own == all ? answers : cat([answers, Forward(context, step.Inputs.narrow(0, own, all - own)).Logits]);
    }

    /// <summary>Names the parameters and buffers, to save them.</summary>
    /// <param name="state">Receives them.</param>
    public void Save(MechanismState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (_values is null) return;
        state.Values["teacher.classes"] = Classes;
        state.Tensors["teacher.values"] = _values;
        foreach (var (name, buffer) in _buffers) state.Tensors[$"teacher.buffer.{name}"] = buffer;
    }

    /// <summary>Puts a saved teacher back.</summary>
    /// <param name="state">What <see cref="Save"/> named.</param>
    public void Load(MechanismState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        Dispose();
        if (state.Take("teacher.values") is not { } values) return;
        (_values, Classes) = (values, state.Values.Value<int>("teacher.classes"));
        const string prefix = "teacher.buffer.";
        foreach (var name in state.Tensors.Keys.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)))
            _buffers[name[prefix.Length..]] = state.Take(name)!;
    }

    /// <summary>Dismisses the teacher; another can be captured later.</summary>
    public void Dispose()
    {
        _values?.Dispose();
        _recorded?.Dispose();
        foreach (var buffer in _buffers.Values) buffer.Dispose();
        _buffers.Clear();
        (_values, _recorded, _recordedFor, Classes) = (null, null, -1, 0);
    }

    // In the order of the source and in parts of one size, so that they are the same when learning goes on after an interruption.
    private void Record(LearningContext context)
    {
        using var scope = NewDisposeScope();
        var (source, batch) = (context.Source, context.Options.BatchSize);
        _recorded?.Dispose();
        (_recorded, _recordedFor) = (null, context.Completed);
        if (4L * source.Count * Classes > LargestRecord || (context.TotalSteps + 1) * batch < source.Count) return;
        var atOnce = (int)Math.Clamp((1 << 20) / source.InputShape.Aggregate(1L, (product, size) => product * size), batch, Math.Max(batch, 1024));
        var answers = empty(source.Count, Classes);
        foreach (var rows in Enumerable.Range(0, source.Count).Select(row => (long)row).Chunk(atOnce))
        {
            using var part = NewDisposeScope();
            answers.narrow(0, rows[0], rows.Length).copy_(Forward(context, context.Fetch(rows).Inputs).Logits);
        }
        _recorded = answers.DetachFromDisposeScope();
    }

    private static long Size(Tensor tensor) => tensor.numel() * tensor.element_size();

    // The running statistics of batch normalisation are the teacher's too while it speaks.
    private sealed class BufferLoan : IDisposable
    {
        private readonly List<(Tensor Buffer, Tensor Own)> _lent = [];

        public BufferLoan(ContinualModel model, SortedDictionary<string, Tensor> teachers)
        {
            if (teachers.Count == 0) return;
            foreach (var (name, buffer) in model.named_buffers())
            {
                if (!teachers.TryGetValue(name, out var teacher)) continue;
                _lent.Add((buffer, buffer.detach())); // a tensor of its own over the same storage
                buffer.set_(teacher);
            }
        }

        public void Dispose()
        {
            foreach (var (buffer, own) in _lent) buffer.set_(own);
        }
    }
}
