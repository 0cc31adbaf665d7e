using Engram.Data;
using Engram.Learning;

namespace Engram.Retention;

/// <summary>How the losses on new labels and on the teacher's answers are weighed.</summary>
public enum DistillationWeighting
{
    /// <summary>L_new + λ L_old, as in Li and Hoiem 2017.</summary>
    Sum,

    /// <summary>1/n L_new + (1 − 1/n) λ L_old in the n-th experience, as in van de Ven et al. 2022.</summary>
    ByExperience,

    /// <summary>L_new + (n − 1) λ L_old in the n-th experience, as the code of van de Ven et al. 2022 does where domains change.</summary>
    ByPast,

    /// <summary>
    /// (1 − r) L_new + r λ L_old with r = old / (old + new) classes, as in Wu et al. 2019 (equation 3) and Zhao et al. 2020.
    /// </summary>
    ByClasses,
}

/// <summary>What the mechanisms with a teacher share: the loss against its answers, and the weights.</summary>
internal static class Distillation
{
    /// <summary>
    /// −Σ_k softmax(teacher / T)_k log softmax(student / T)_k, the mean over samples, times a weight. Columns that only the
    /// student has count as classes with target 0.
    /// </summary>
    /// <param name="student"><c>[n, classes]</c>.</param>
    /// <param name="teacher"><c>[n, old]</c> with old ≤ classes.</param>
    /// <param name="temperature">T.</param>
    /// <param name="weight">What the mean is multiplied by.</param>
    /// <returns>A scalar.</returns>
    public static Tensor SoftCrossEntropy(Tensor student, Tensor teacher, double temperature, double weight = 1)
    {
        var (samples, old) = (teacher.size(0), teacher.size(1));
        var answers = student.div(Held(temperature)).log_softmax(1);
        if (old < student.size(1)) answers = answers.narrow(1, 0, old); // a view costs as much as an operation, and more on the way back
        return answers.mul(teacher.div(Held(temperature)).softmax(1)).sum().mul(Held(-weight / samples));
    }

    /// <summary>The same for targets that are not classes: binary cross-entropy over labels, squared error over values.</summary>
    public static Tensor Elementwise(Tensor student, Tensor teacher, double temperature, TargetKind kind) =>
        kind == TargetKind.MultiLabel
            ? nn.functional.binary_cross_entropy_with_logits(
                student.div(Held(temperature)), teacher.div(Held(temperature)).sigmoid(), reduction: nn.Reduction.None).mean([1])
            : nn.functional.mse_loss(student, teacher, nn.Reduction.None).mean([1]);

    /// <summary>Shares of the loss on labels and of the loss on the teacher's answers.</summary>
    public static (double New, double Old) Weights(DistillationWeighting weighting, LearningContext context, int teacherClasses)
    {
        var experience = context.Completed + 1.0;
        var old = teacherClasses / (double)(teacherClasses + context.ClassIds.Count);
        return weighting switch
        {
            DistillationWeighting.ByExperience => (1 / experience, 1 - (1 / experience)),
            DistillationWeighting.ByPast => (1, experience - 1),
            DistillationWeighting.ByClasses => (1 - old, old),
            _ => (1, 1),
        };
    }

    /// <summary>Multiplies the loss on labels of every part.</summary>
    public static void ScaleLabels(TrainingStep step, double factor)
    {
        if (factor == 1) return;
        var weights = step.Parts.Select(step.WeightOf).ToArray();
        for (var i = 0; i < weights.Length; i++) step.Parts[i].Weight = weights[i] * factor;
    }

    /// <summary>Rows of the parts that learn from labels; a part of weight 0 belongs to another mechanism.</summary>
    public static Tensor Rows(Tensor all, IReadOnlyList<BatchPart> parts, TrainingStep step) =>
        parts.Count == step.Parts.Count ? all : cat([.. parts.Select(part => TrainingStep.RowsOf(all, part))]);
}
