using System.Text.Json.Nodes;
using Engram.Learning;
using Engram.Models;
using Engram.Persistence;
using Engram.Streams;

namespace Engram.Retention;

/// <summary>
/// CWR*: the last layer is learnt afresh for each experience and then consolidated row by row, over a backbone that is fixed
/// after the first; so new rows cannot suppress old ones. Lomonaco, Maltoni and Pellegrini 2020, "Rehearsal-Free Continual
/// Learning over Small Non-I.I.D. Batches", algorithm 1.
/// </summary>
/// <remarks>
/// cw[j] ← (cw[j]·w_past + tw[j] − avg(tw)) / (w_past + 1), w_past = √(past_j / cur_j). avg(tw) is one number over the rows
/// of the experience's classes, as in the authors' code; biases, which that code leaves out, are treated alike with an average of
/// their own. The softmax runs over all outputs. Between cancellation and resumption, prediction uses tw.
/// Setting <see cref="ContinualModel.FreezeBackbone"/> to <see cref="Freeze.AfterFirstExperience"/> gives the same faster. A backbone with
/// batch normalisation needs that, or <see cref="ContinualModel.FreezeBatchNorm"/>: its statistics would move on.
/// </remarks>
public sealed class CopyWeightsReinit : RetentionMechanism
{
    private readonly FrozenPlaces _frozen = new();
    private readonly List<double> _past = [];
    private Tensor? _weight; // cw: [classes, features]
    private Tensor? _bias;

    /// <inheritdoc/>
    public override string Name => "cwr";

    /// <inheritdoc/>
    public override Seams Seams => Seams.Projection | Seams.Parameters;

    /// <inheritdoc/>
    public override long MemoryBytes => (_weight is null ? 0 : 4 * (_weight.numel() + _bias!.numel())) + _frozen.Bytes;

    /// <inheritdoc/>
    protected internal override string? WhyNotBeside(RetentionMechanism other) => other is DecoupledHead or WeightAligning
        ? $"consolidates the head's rows, which {other.Name} sets anew, expected one of them"
        : null;

    /// <inheritdoc/>
    protected internal override string? WhyNot(Experience experience) => Require.Classes(experience, Name);

    /// <inheritdoc/>
    protected internal override void Attach(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.Model.Head is not LinearHead)
            throw new ArgumentException($"model: head is {context.Model.Head.Architecture}, expected linear for cwr");
        Require.FixedStatistics(context.Model, Name);
    }

    /// <inheritdoc/>
    protected internal override void BeginExperience(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var (weight, bias) = Head(context);
        (_weight, _bias) = (Extended(_weight, weight), Extended(_bias, bias));
        while (_past.Count < context.Classes.Count) _past.Add(0);
        foreach (var (row, kept) in new[] { (weight, _weight), (bias, _bias) })
        {
            row.zero_(); // tw[j] = cw[j] for the classes of this experience, 0 otherwise
            foreach (var id in context.ClassIds) row[id].copy_(kept[id]);
        }
        if (context.Completed == 0) return;
        var mask = zeros(context.Arena.Length, ScalarType.Bool);
        foreach (var slot in context.Arena.Slots.Where(slot => !FrozenPlaces.IsHead(slot))) slot.Of(mask).fill_(Held(true));
        _frozen.Set(mask, context.Arena);
    }

    /// <inheritdoc/>
    protected internal override void ProjectGradient(TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        using var _ = no_grad();
        _frozen.MaskGradient(step.Context.Arena);
    }

    /// <inheritdoc/>
    protected internal override void AfterStep(TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        _frozen.Restore(step.Context.Arena);
    }

    /// <inheritdoc/>
    protected internal override void EndExperience(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var (weight, bias) = Head(context);
        var ids = tensor(context.ClassIds.Select(id => (long)id).ToArray());
        var (meanWeight, meanBias) = (weight.index_select(0, ids).mean(), bias.index_select(0, ids).mean());
        foreach (var (id, now) in Counts(context))
        {
            var old = Math.Sqrt(_past[id] / now);
            _weight![id].mul_(Held(old)).add_(weight[id].sub(meanWeight), alpha: Held(1)).div_(Held(old + 1));
            _bias![id].mul_(Held(old)).add_(bias[id].sub(meanBias), alpha: Held(1)).div_(Held(old + 1));
            _past[id] += now;
        }
        weight.copy_(_weight!);
        bias.copy_(_bias!);
        _frozen.Dispose();
    }

    /// <inheritdoc/>
    protected internal override void Save(MechanismState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        _frozen.Save(state);
        state.Values["past"] = new JsonArray([.. _past.Select(count => (JsonNode)count)]);
        if (_weight is null) return;
        state.Tensors["weight"] = _weight;
        state.Tensors["bias"] = _bias!;
    }

    /// <inheritdoc/>
    protected internal override void Load(LearningContext context, MechanismState state)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(state);
        _frozen.Load(state, context.Arena);
        _past.Clear();
        _past.AddRange(state.Values.List<double>("past"));
        (_weight, _bias) = (state.Take("weight"), state.Take("bias"));
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _frozen.Dispose();
        _weight?.Dispose();
        _bias?.Dispose();
    }

    private static (Tensor Weight, Tensor Bias) Head(LearningContext context) =>
        (context.Arena["head.weight"].Of(context.Arena.Values), context.Arena["head.bias"].Of(context.Arena.Values));

    // Classes that are new have no consolidated rows yet.
    private static Tensor Extended(Tensor? kept, Tensor like)
    {
        var longer = zeros_like(like).DetachFromDisposeScope();
        if (kept is not null) longer.narrow(0, 0, kept.size(0)).copy_(kept);
        kept?.Dispose();
        return longer;
    }

    private static IEnumerable<(int Id, double Count)> Counts(LearningContext context) =>
        context.Source.Codes.ToArray().CountBy(code => context.Targets.IdOf(context.Source, code))
            .Select(pair => (pair.Key, (double)pair.Value));
}
