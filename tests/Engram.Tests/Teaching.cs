using Engram.Evaluation;
using Engram.Learning;
using Engram.Streams;

namespace Engram.Tests;

/// <summary>Learning and testing under the test's own cancellation token.</summary>
internal static class Teaching
{
    public static LearningResult Teach(this Learner learner, Experience experience) =>
        learner.Learn(experience, cancellationToken: TestContext.Current.CancellationToken);

    public static (int[] True, int[] Predicted) PredictAll(this Learner learner, EvaluationSet set) =>
        Evaluator.Predict(learner, set, TestContext.Current.CancellationToken);
}
