using Engram.Data;
using Engram.Learning;
using Engram.Retention.Sensitivity;

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
/// The diagonal of the Fisher information, F_k = E_x E_y[(∂ log p(y|x,θ) / ∂θ_k)²], truly per sample: squares are taken
/// before the mean, never of a batch's mean gradient. Kirkpatrick et al. 2017; van de Ven 2025, "On the Computation of the
/// Fisher Information in Continual Learning".
/// </summary>
/// <remarks>
/// Models of linear and convolutional layers (groups 1) under a linear head take whole batches: a linear layer's sum of
/// squared gradients is (δ²)ᵀ(a²), with a its input and δ the gradient of its output. Other models take one sample at a
/// time. Both give the same numbers up to rounding. Labels weigh squares, not gradients: E_y[g²] = Σ_y p(y|x) g_y².
/// For targets that are not classes the observed targets are used.
/// </remarks>
public static class FisherInformation
{
    /// <summary>Estimates the diagonal at the present parameters, in evaluation mode.</summary>
    /// <param name="context">The learner's context; samples come from its source.</param>
    /// <param name="samples">Samples to use, drawn without repeats; null means all.</param>
    /// <param name="labels">Which labels. In task-incremental learning only those of the experience's task have probability.</param>
    /// <returns>float32 in the arena's layout, in the caller's scope.</returns>
    public static Tensor Diagonal(LearningContext context, int? samples, FisherLabels labels) =>
        Diagonal(context, samples, labels, vectorised: true);

    internal static Tensor Diagonal(LearningContext context, int? samples, FisherLabels labels, bool vectorised)
    {
        ArgumentNullException.ThrowIfNull(context);
        var exact = labels == FisherLabels.Exact && context.Targets.Kind == TargetKind.Classes;
        return PerSampleGradients.Mean(
            context, samples, "fisher", GradientPower.Squared,
            (logits, part) => exact
                ? OverAllLabels(context, logits, part)
                : Observed(context, logits, part), vectorised);
    }

    private static Tensor[] Observed(LearningContext context, Tensor logits, BatchPart part)
    {
        var leaf = logits.detach().requires_grad_();
        var loss = context.Targets.LossPerSample(leaf, part.Targets, part.Tasks).sum();
        return [autograd.grad([loss], [leaf])[0]];
    }

    private static List<Tensor> OverAllLabels(LearningContext context, Tensor logits, BatchPart part)
    {
        using var _ = no_grad();
        var probabilities = context.Targets.Mask(logits, part.Tasks).softmax(1);
        var possible = probabilities.amax([0]).data<float>().ToArray();
        var terms = new List<Tensor>();
        for (var label = 0; label < possible.Length; label++)
        {
            if (possible[label] == 0) continue;
            // −∂ log p(y)/∂z = p − e_y; the root of p(y) becomes p(y) once squared.
            var term = probabilities.clone();
            term.select(1, label).sub_(Held(1));
            terms.Add(term.mul_(probabilities.narrow(1, label, 1).sqrt()));
        }
        return terms;
    }
}
