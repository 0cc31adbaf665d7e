using Engram.Data;
using Engram.Learning;

namespace Engram.Retention;

/// <summary>Which labels the Fisher information is taken over.</summary>
public enum FisherLabels
{
    /// <summary>The expectation over all labels under the model's own probabilities: the true Fisher information.</summary>
    Exact,

    /// <summary>The label observed with each sample: the empirical Fisher information.</summary>
    Observed,
}

/// <summary>
/// The diagonal of the Fisher information, F_k = E[(∂ log p(y|x,θ) / ∂θ_k)²], truly per sample: squares are taken before the
/// mean, never of a batch's mean gradient. Kirkpatrick et al. 2017; van de Ven 2025, "On the Computation of the Fisher
/// Information in Continual Learning".
/// </summary>
public static class FisherInformation
{
    /// <summary>Estimates the diagonal at the present parameters, in evaluation mode.</summary>
    /// <param name="context">The learner's context; samples come from its source.</param>
    /// <param name="samples">Samples to use, drawn without repeats; null means all.</param>
    /// <param name="labels">Which labels.</param>
    /// <returns>float32 in the arena's layout, in the caller's scope.</returns>
    public static Tensor Diagonal(LearningContext context, int? samples, FisherLabels labels)
    {
        ArgumentNullException.ThrowIfNull(context);
        using var scope = NewDisposeScope();
        var count = Math.Min(samples ?? context.Source.Count, context.Source.Count);
        var random = new SeededRandom(context.Options.Seed, $"fisher/{context.Experience.Index}");
        var fisher = zeros_like(context.Arena.Values);
        context.Model.eval();
        foreach (var index in random.Permutation(context.Source.Count).AsSpan(0, count))
        {
            using var inner = NewDisposeScope();
            var sample = context.Fetch([index]);
            if (labels == FisherLabels.Observed || context.Targets.Kind != TargetKind.Classes)
            {
                var gradient = context.GradientOf(() => context.Targets.Loss(context.Model.forward(sample.Inputs), sample));
                using var _ = no_grad();
                fisher.addcmul_(gradient, gradient, 1.0 / count);
                continue;
            }
            Tensor Logits() => context.Targets.Mask(context.Model.forward(sample.Inputs), sample.Tasks);
            float[] probabilities;
            using (no_grad()) probabilities = Logits().softmax(1).data<float>().ToArray();
            for (var label = 0; label < probabilities.Length; label++)
            {
                if (probabilities[label] == 0) continue;
                var target = tensor([(long)label]);
                var gradient = context.GradientOf(() => nn.functional.cross_entropy(Logits(), target));
                using var _ = no_grad();
                fisher.addcmul_(gradient, gradient, probabilities[label] / count);
            }
        }
        return fisher.MoveToOuterDisposeScope();
    }
}
