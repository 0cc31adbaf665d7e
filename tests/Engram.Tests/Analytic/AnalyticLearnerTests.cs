using Engram.Analytic;
using Engram.Data;
using Engram.Evaluation;
using Engram.Retention;
using Engram.Streams;
using TorchSharp;
using static TorchSharp.torch;

namespace Engram.Tests.Analytic;

public class AnalyticLearnerTests
{
    private const int Width = 200;
    private static readonly SubsetSource s_train = SubsetSource.Balanced(TestData.Mnist.Train, 300);
    private static readonly EvaluationSet s_test = TestData.Mnist.Test;

    public static TheoryData<string> All => ["ncm", "slda", "ridge"];

    private static RandomFeatures Random() => new(784, Width, scale: 0.1);

    private static LinearAnalyticLearner Make(string name, int blockSize = 512) => name switch
    {
        "ncm" => new NearestClassMean(Random()) { BlockSize = blockSize },
        "slda" => new StreamingLda(Random(), 1e-2) { BlockSize = blockSize },
        _ => new RidgeClassifier(Random(), 1) { BlockSize = blockSize },
    };

    [Theory, MemberData(nameof(All))]
    public void Order_and_block_size_do_not_change_what_was_learnt(string name)
    {
        using var scope = NewDisposeScope();
        using var joint = Make(name);
        joint.Learn(new Experience(0, s_train));
        using var byClass = Make(name);
        for (var digit = 9; digit >= 0; digit--)
            byClass.Learn(new Experience(9 - digit, SubsetSource.WithLabels(s_train, [digit])));
        using var shuffled = Make(name, 10_000);
        shuffled.Learn(new Experience(0, new SubsetSource(s_train, new SeededRandom(1, "test").Permutation(s_train.Count))));
        using var single = Make(name, 1);
        single.Learn(new Experience(0, s_train));
        var expected = Evaluator.Predict(joint, s_test).Predicted.Select(id => joint.Classes.LabelOf(id)).ToArray();
        foreach (var other in new[] { byClass, shuffled, single })
        {
            var order = tensor(Enumerable.Range(0, 10).Select(id => (long)other.Classes.IdOf(joint.Classes.LabelOf(id))).ToArray());
            Assert.True(Difference(joint.Weights(), other.Weights().index_select(1, order)) < 1e-4);
            Assert.Equal(expected, Evaluator.Predict(other, s_test).Predicted.Select(id => other.Classes.LabelOf(id)));
        }
        Assert.True(Evaluator.Accuracy(joint, s_test) > 0.7);
    }

    [Theory, MemberData(nameof(All))]
    public void Unlearning_a_class_gives_the_head_that_never_saw_it(string name)
    {
        using var scope = NewDisposeScope();
        var kept = SubsetSource.WithLabels(s_train, Label.Numbers(0, 9));
        var gone = SubsetSource.WithLabels(s_train, [9]);
        using var never = Make(name);
        never.Learn(new Experience(0, kept));
        using var unlearnt = Make(name);
        unlearnt.Learn(new Experience(0, kept));
        unlearnt.Learn(new Experience(1, gone));
        Assert.Contains(9, Evaluator.Predict(unlearnt, s_test).Predicted);
        unlearnt.Unlearn(gone);
        Assert.True(Difference(never.Weights(), unlearnt.Weights().narrow(1, 0, 9)) < 1e-4);
        Assert.Equal(Evaluator.Predict(never, s_test).Predicted, Evaluator.Predict(unlearnt, s_test).Predicted);
    }

    [Theory, MemberData(nameof(All))]
    public void Unlearning_some_samples_gives_the_head_of_the_others(string name)
    {
        using var scope = NewDisposeScope();
        var (kept, gone) = StratifiedSplit.Of(s_train, 0.1, new SeededRandom(2, "test"));
        using var never = Make(name);
        never.Learn(new Experience(0, kept));
        using var unlearnt = Make(name);
        unlearnt.Learn(new Experience(0, s_train));
        unlearnt.Unlearn(gone);
        Assert.True(Difference(never.Weights(), unlearnt.Weights()) < 1e-4);
    }

    [Theory, MemberData(nameof(All))]
    public void Saved_statistics_give_the_same_scores_bit_by_bit_and_go_on(string name)
    {
        using var scope = NewDisposeScope();
        var (half, rest) = StratifiedSplit.Of(s_train, 0.5, new SeededRandom(2, "test"));
        using var first = Make(name);
        first.Learn(new Experience(0, half));
        var state = new MechanismState();
        first.Save(state);
        using var second = Make(name);
        second.Load(state);
        first.Learn(new Experience(1, rest));
        second.Learn(new Experience(1, rest));
        var inputs = TestData.Mnist.Test.Inputs([0, 1, 2, 3]);
        Assert.Equal(first.Scores(inputs).data<float>().ToArray(), second.Scores(inputs).data<float>().ToArray());
        Assert.Throws<ArgumentException>(() => second.Learn(new Experience(0, half)));
    }

    [Fact]
    public void Weights_equal_a_direct_float64_solve()
    {
        using var scope = NewDisposeScope();
        var (phi, labels) = Joint();
        var means = labels.t().matmul(phi) / labels.sum([0L]).unsqueeze(1);
        var centred = phi - labels.matmul(means);
        var identity = eye(Width, dtype: ScalarType.Float64);
        var covariance = centred.t().matmul(centred) / phi.shape[0];
        var expected = new Dictionary<string, Tensor>
        {
            ["ncm"] = means.t(),
            ["slda"] = linalg.solve(0.99 * covariance + 0.01 * identity, means.t()),
            ["ridge"] = linalg.solve(phi.t().matmul(phi) + identity, phi.t().matmul(labels)),
        };
        foreach (var (name, weights) in expected)
        {
            using var learner = Make(name);
            learner.Learn(new Experience(0, s_train));
            Assert.True(Difference(weights, learner.Weights()) < 1e-5, name);
        }
        using var recursive = new RecursiveRidge(Random(), 1);
        Assert.Contains("nothing was learnt", Assert.Throws<InvalidOperationException>(recursive.Weights).Message);
        recursive.Learn(new Experience(0, s_train));
        Assert.True(Difference(expected["ridge"], recursive.Weights()) < 1e-5, "recursive");
    }

    // 1,000 features of 3,000 samples and hardly any ridge: where updates of an inverse lose the most.
    [Fact]
    public void Recursive_ridge_keeps_to_the_direct_solve_over_many_features_at_a_small_lambda()
    {
        using var scope = NewDisposeScope();
        RandomFeatures Wide() => new(784, 1000, scale: 0.1);
        var (kept, gone) = StratifiedSplit.Of(s_train, 0.1, new SeededRandom(4, "test"));
        using var direct = new RidgeClassifier(Wide(), 1e-4);
        using var recursive = new RecursiveRidge(Wide(), 1e-4);
        direct.Learn(new Experience(0, kept));
        recursive.Learn(new Experience(0, kept));
        recursive.Learn(new Experience(1, gone));
        recursive.Unlearn(gone);
        var difference = Difference(direct.Weights(), recursive.Weights());
        Assert.True(difference < 1e-4, $"weights differ by {difference}");
        Assert.Equal(Evaluator.Predict(direct, s_test).Predicted, Evaluator.Predict(recursive, s_test).Predicted);
    }

    [Fact]
    public void Nearest_class_mean_predicts_the_class_with_the_smallest_distance()
    {
        using var scope = NewDisposeScope();
        var (phi, labels) = Joint();
        var means = labels.t().matmul(phi) / labels.sum([0L]).unsqueeze(1);
        using var learner = Make("ncm");
        learner.Learn(new Experience(0, s_train));
        using var prediction = learner.Predict(AllInputs());
        var nearest = cdist(phi, means).argmin(1).data<long>().ToArray();
        Assert.True(nearest.Zip(prediction.ClassIds).Count(pair => pair.First != pair.Second) <= 1); // one rounded tie at most
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(1.0)]
    public void Constant_features_one_sample_per_class_and_lambda_0_never_give_NaN(double value)
    {
        using var scope = NewDisposeScope();
        var source = TensorSource.OfClasses(full(2, 8, (float)value), [0, 1], Label.Numbers(0, 2));
        AnalyticLearner[] learners =
        [
            new RidgeClassifier(new RawFeatures(8), 0), new RidgeClassifier(new RawFeatures(8), 1e-30),
            new RidgeClassifier(new RawFeatures(8), 0, balance: ClassBalance.PerClass), new RidgeClassifier(new RawFeatures(8), 0, balance: ClassBalance.Pooled),
            new StreamingLda(new RawFeatures(8)), new StreamingLda(new RawFeatures(8), 1e-300), new NearestClassMean(new RawFeatures(8)),
            new RecursiveRidge(new RawFeatures(8), 1e-12),
        ];
        foreach (var learner in learners)
            using (learner)
            {
                learner.Learn(new Experience(0, source));
                Assert.True(learner.Scores(ones(3, 8)).isfinite().all().item<bool>());
            }
    }

    [Fact]
    public void One_digit_of_each_class_on_raw_pixels_is_recognised_again()
    {
        using var scope = NewDisposeScope();
        var source = SubsetSource.Balanced(TestData.Mnist.Train, 1);
        AnalyticLearner[] learners =
            [
                new RidgeClassifier(new RawFeatures(784), 0), new StreamingLda(new RawFeatures(784)), new NearestClassMean(new RawFeatures(784)),
                new RecursiveRidge(new RawFeatures(784), 1e-3),
            ];
        foreach (var learner in learners)
            using (learner)
            {
                learner.Learn(new Experience(0, source));
                Assert.Equal(1, Evaluator.Accuracy(learner, new EvaluationSet("train", source)));
            }
    }

    [Fact]
    public void Bad_input_is_named_and_leaves_the_learner_as_it_was()
    {
        using var scope = NewDisposeScope();
        using var learner = new RidgeClassifier(new RawFeatures(8));
        Assert.Contains("nothing was learnt", Assert.Throws<InvalidOperationException>(() => learner.Predict(zeros(1, 8))).Message);
        var wide = TensorSource.OfClasses(zeros(2, 9), [0, 1], Label.Numbers(0, 2));
        Assert.Contains("expected [batch, 8]", Assert.Throws<ArgumentException>(() => learner.Learn(new Experience(0, wide))).Message);
        Assert.Equal(0, learner.Classes.Count);
        learner.Learn(new Experience(0, TensorSource.OfClasses(rand(2, 8), [0, 1], Label.Numbers(0, 2))));
        var more = TensorSource.OfClasses(rand(2, 8), [0, 0], Label.Numbers(0, 1));
        Assert.Contains("at most the 1 learnt", Assert.Throws<ArgumentException>(() => learner.Unlearn(more)).Message);
        Assert.Contains("NaN", Assert.Throws<ArgumentException>(() => learner.Predict(full(2, 8, float.NaN))).Message);
        Assert.Contains("lambda: -1", Assert.Throws<ArgumentException>(() => new RidgeClassifier(new RawFeatures(8), -1)).Message);
        Assert.Contains("lambda: 0", Assert.Throws<ArgumentException>(() => new RecursiveRidge(new RawFeatures(8), 0)).Message);
        Assert.Contains("shrinkage: 0", Assert.Throws<ArgumentException>(() => new StreamingLda(new RawFeatures(8), 0)).Message);
    }

    [Fact]
    public void Lambda_is_the_candidate_that_predicts_most_validation_samples_right()
    {
        var (rest, validation) = StratifiedSplit.Of(s_train, 0.2, new SeededRandom(2, "test"));
        using var learner = new RidgeClassifier(Random());
        learner.Learn(new Experience(0, rest));
        double[] candidates = [1e-2, 1e2, 1e8];
        var accuracies = candidates.Select(lambda =>
        {
            using var single = new RidgeClassifier(Random(), lambda);
            single.Learn(new Experience(0, rest));
            return Evaluator.Accuracy(single, new EvaluationSet("validation", validation));
        }).ToArray();
        Assert.Equal(candidates[Array.IndexOf(accuracies, accuracies.Max())], learner.ChooseLambda(validation, candidates));
        Assert.True(accuracies.Distinct().Count() > 1);
    }

    [Fact]
    public void Learning_and_predicting_leave_no_tensor_behind()
    {
        using var learner = Make("ridge");
        learner.Learn(new Experience(0, s_train));
        Evaluator.Accuracy(learner, new EvaluationSet("train", s_train));
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        learner.Learn(new Experience(1, s_train));
        Evaluator.Accuracy(learner, new EvaluationSet("train", s_train));
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(512)]
    public void Recursive_updates_give_the_weights_of_the_direct_solve_and_unlearn_them(int blockSize)
    {
        using var scope = NewDisposeScope();
        var kept = SubsetSource.WithLabels(s_train, Label.Numbers(0, 9));
        var gone = SubsetSource.WithLabels(s_train, [9]);
        using var direct = Make("ridge");
        using var recursive = new RecursiveRidge(Random(), 1) { BlockSize = blockSize };
        direct.Learn(new Experience(0, kept));
        recursive.Learn(new Experience(0, kept));
        var never = direct.Weights();
        Assert.True(Difference(never, recursive.Weights()) < 1e-4);
        direct.Learn(new Experience(1, gone));
        recursive.Learn(new Experience(1, gone));
        Assert.True(Difference(direct.Weights(), recursive.Weights()) < 1e-4);
        Assert.Equal(Evaluator.Predict(direct, s_test).Predicted, Evaluator.Predict(recursive, s_test).Predicted);
        recursive.Unlearn(gone);
        Assert.True(Difference(never, recursive.Weights().narrow(1, 0, 9)) < 1e-4);
    }

    private static Tensor AllInputs() => s_train.Gather([.. Enumerable.Range(0, s_train.Count).Select(i => (long)i)]).Inputs;

    private static (Tensor Features, Tensor OneHot) Joint()
    {
        var batch = s_train.Gather([.. Enumerable.Range(0, s_train.Count).Select(i => (long)i)]);
        using var features = Random();
        return (features.Extract(batch.Inputs.to(ScalarType.Float32) / 255).to(ScalarType.Float64),
            nn.functional.one_hot(batch.Targets, 10).to(ScalarType.Float64));
    }

    private static double Difference(Tensor expected, Tensor actual) =>
        ((expected - actual).norm() / expected.norm()).item<double>();
}
