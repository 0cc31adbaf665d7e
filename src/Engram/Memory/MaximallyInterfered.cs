using Engram.Learning;

namespace Engram.Memory;

/// <summary>
/// MIR: repeats the samples that the coming step would hurt most.
/// Aljundi et al. 2019, "Online Continual Learning with Maximally Interfered Retrieval", algorithm 1, criterion s_MI-1:
/// ℓ(f_θv(x), y) − ℓ(f_θ(x), y), where θv = θ − α ∇L(f_θ(X_t), Y_t).
/// </summary>
/// <remarks>Both losses and the virtual gradient are taken in evaluation mode: batch statistics and chance stay untouched.</remarks>
internal static class MaximallyInterfered
{
    /// <summary>The candidates whose loss rises most, worst first.</summary>
    /// <param name="step">Before the forward pass; its current part gives the virtual step.</param>
    /// <param name="candidates">Kept samples to choose from.</param>
    /// <param name="count">How many.</param>
    /// <param name="rate">α: size of the virtual step.</param>
    /// <returns>Rows of <paramref name="candidates"/>, int64.</returns>
    public static Tensor Choose(TrainingStep step, BatchPart candidates, int count, double rate)
    {
        var context = step.Context;
        using var scope = NewDisposeScope();
        var training = context.Model.training;
        context.Model.eval();
        var gradient = context.GradientOf(
            () => context.Targets.Loss(context.Model.forward(step.Current.Inputs), step.Current));
        using var _ = no_grad();
        var before = Losses(context, candidates);
        Tensor after;
        using (context.Arena.Borrow(context.Arena.Values.sub(gradient.mul_(Held(rate)))))
            after = Losses(context, candidates);
        if (training) context.Model.TrainMode(context.Completed);
        return after.sub_(before).argsort(0, descending: true)
            .narrow(0, 0, Math.Min(count, candidates.Count)).MoveToOuterDisposeScope();
    }

    private static Tensor Losses(LearningContext context, BatchPart part) =>
        context.Targets.LossPerSample(context.Model.forward(part.Inputs), part.Targets, part.Tasks);
}
