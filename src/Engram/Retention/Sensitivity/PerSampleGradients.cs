using Engram.Data;
using Engram.Learning;

namespace Engram.Retention.Sensitivity;

/// <summary>
/// The gradients, with respect to a batch's logits, whose per-sample pull-backs to the parameters are wanted: each
/// <c>[n, classes]</c>, row i depending on sample i alone.
/// </summary>
/// <param name="logits">Detached logits <c>[n, classes]</c>.</param>
/// <param name="part">The samples.</param>
internal delegate IEnumerable<Tensor> LogitGradients(Tensor logits, BatchPart part);

/// <summary>Means over samples of powers of per-sample gradients: the common core of the Fisher information and of MAS.</summary>
internal static class PerSampleGradients
{
    /// <summary>(1/N) Σ_samples Σ_terms |J_iᵀ t_i|^p, where J_i is the Jacobian of sample i's logits.</summary>
    /// <param name="context">The model, in evaluation mode during this, and the samples.</param>
    /// <param name="samples">N, drawn without repeats; null means all.</param>
    /// <param name="purpose">Names the draw.</param>
    /// <param name="power">p.</param>
    /// <param name="terms">t.</param>
    /// <param name="vectorised">False takes the samples one by one even where the layers would allow batches.</param>
    /// <returns>float32 in the arena's layout, in the caller's scope.</returns>
    public static Tensor Mean(
        LearningContext context, int? samples, string purpose, GradientPower power, LogitGradients terms,
        bool vectorised = true)
    {
        using var scope = NewDisposeScope();
        var count = Math.Min(samples ?? context.Source.Count, context.Source.Count);
        var random = new SeededRandom(context.Options.Seed, $"{purpose}/{context.Experience.Index}");
        var chosen = Array.ConvertAll(random.Permutation(context.Source.Count)[..count], index => (long)index);
        var sum = zeros_like(context.Arena.Values);
        var training = context.Model.training;
        context.Model.eval();
        var trace = vectorised ? Trace(context, chosen) : null;
        if (trace is null)
            foreach (var index in chosen) AddOne(context, index, power, terms, sum);
        else
            foreach (var batch in chosen.Chunk(trace.HasConvolutions ? 32 : 256))
                AddBatch(context, trace, batch, power, terms, sum);
        if (training) context.Model.TrainMode(context.Completed);
        using var _ = no_grad();
        return sum.div_(Held(count)).MoveToOuterDisposeScope();
    }

    private static LayerTrace? Trace(LearningContext context, long[] chosen)
    {
        using var scope = NewDisposeScope();
        return LayerTrace.TryCreate(context, context.Fetch(chosen.AsSpan(0, Math.Min(8, chosen.Length))).Inputs);
    }

    private static void AddBatch(
        LearningContext context, LayerTrace trace, long[] indices, GradientPower power, LogitGradients terms, Tensor sum)
    {
        using var scope = NewDisposeScope();
        var part = context.Fetch(indices);
        var logits = trace.Forward(part.Inputs)!;
        foreach (var term in terms(logits.detach(), part))
        {
            var deltas = trace.Backward(logits, term);
            using var _ = no_grad();
            trace.Absorb(deltas, power, sum);
        }
        using var __ = no_grad();
        trace.Flush(power, sum);
    }

    // The general path, for any model: one backward pass per sample and term.
    private static void AddOne(
        LearningContext context, long index, GradientPower power, LogitGradients terms, Tensor sum)
    {
        using var scope = NewDisposeScope();
        var part = context.Fetch([index]);
        Tensor logits;
        using (no_grad()) logits = context.Model.forward(part.Inputs);
        foreach (var term in terms(logits, part))
        {
            var gradient = context.GradientOf(() => context.Model.forward(part.Inputs).mul(term).sum());
            using var _ = no_grad();
            sum.add_(power == GradientPower.Squared ? gradient.pow_(Held(2)) : gradient.abs_(), alpha: Held(1));
        }
    }
}
