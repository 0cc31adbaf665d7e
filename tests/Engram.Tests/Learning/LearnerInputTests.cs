using Engram.Data;
using Engram.Evaluation;
using Engram.Learning;
using Engram.Models;
using Engram.Persistence;
using Engram.Retention;
using Engram.Streams;
using Engram.Tests.Persistence;
using static TorchSharp.torch;

namespace Engram.Tests.Learning;

public class LearnerInputTests
{
    private static readonly SubsetSource s_train = SubsetSource.Balanced(TestData.Mnist.Train, 20);
    private static readonly EvaluationSet s_test = TestData.Mnist.Test.Balanced(10);

    private static Learner Digits(LearnerOptions? options = null, params RetentionMechanism[] mechanisms) =>
        new(() => new ContinualModel(new Mlp(784, 32)), options, mechanisms);

    private static byte[] Scores(Learner learner, int? task = null)
    {
        using var scope = NewDisposeScope();
        return learner.Scores(s_test.Inputs([0, 1, 2, 3]), task).bytes.ToArray();
    }

    private sealed class Delegated(
        Tensor inputs, IReadOnlyList<long> shape, ScalarType type, Tensor? targets = null, int code = 0) : ISampleSource
    {
        public int Count => (int)inputs.shape[0];
        public IReadOnlyList<long> InputShape => shape;
        public ScalarType InputType => type;
        public TargetKind TargetKind => TargetKind.Classes;
        public IReadOnlyList<Label> Labels => ["9"];
        public ReadOnlyMemory<int> Codes => Enumerable.Repeat(code, Count).ToArray();
        public Batch Gather(ReadOnlySpan<long> indices) =>
            new(inputs.index_select(0, tensor(indices.ToArray())), targets ?? zeros(indices.Length, ScalarType.Int64));
    }

    [Fact]
    public void Options_of_the_optimiser_are_refused_before_a_model_is_built()
    {
        foreach (var (optimizer, message) in new (OptimizerOptions, string)[]
        {
            (new AdamOptions { LearningRate = -1 }, "LearningRate: -1, expected a positive number"),
            (new AdamOptions { Beta1 = 1 }, "Beta1: 1, expected 0 to below 1"),
            (new SgdOptions { Momentum = 1 }, "Momentum: 1, expected 0 to below 1"),
        })
        {
            var options = new LearnerOptions { Optimizer = optimizer };
            Assert.Equal(message, Assert.Throws<ArgumentException>(options.Validate).Message);
            Assert.Equal(message, Assert.Throws<ArgumentException>(
                () => new Learner(() => throw new InvalidOperationException("built"), options)).Message);
        }
    }

    [Fact]
    public void A_model_that_cannot_compute_in_the_precision_asked_for_is_disposed()
    {
        var model = new ContinualModel(new LeNet5());
        var parameters = model.parameters().ToArray();
        Assert.Contains("Precision: MixedBFloat16, expected Float32", Assert.Throws<ArgumentException>(
            () => new Learner(() => model, new LearnerOptions { Precision = Precision.MixedBFloat16 })).Message, StringComparison.Ordinal);
        Assert.All(parameters, parameter => Assert.True(parameter.IsInvalid));
    }

    public static TheoryData<string, string> BadExperiences => new()
    {
        { "nan", "train: NaN or infinite values" },
        { "infinite", "train: NaN or infinite values" },
        { "shape", "experience: samples of shape [1, 27, 28], expected [1, 28, 28]" },
        { "lying shape", "train: samples Byte [1, 1, 27, 28], expected Byte [1, 1, 28, 28]" },
        { "dtype", "train: inputs of type Int64, expected Byte or Float32" },
        { "mixed dtype", "experience: samples Float32, expected Byte" },
        { "target dtype", "train: targets Float32 [1], expected Int64 [1]" },
        { "target codes", "train: label code 4, expected 0 to 0" },
        { "duplicate", "experience: index 0 was learnt before, expected a new index" },
    };

    [Theory]
    [MemberData(nameof(BadExperiences))]
    public void A_bad_experience_is_refused_by_name_and_leaves_the_learner_as_it_was(string what, string message)
    {
        using var learner = Digits(null, new Replay());
        learner.Teach(new Experience(0, SubsetSource.WithLabels(s_train, ["0", "1"])));
        var before = Scores(learner);
        using var scope = NewDisposeScope();
        ISampleSource source = what switch
        {
            "nan" => new Delegated(full([3, 1, 28, 28], float.NaN), [1, 28, 28], ScalarType.Float32),
            "infinite" => new Delegated(full([3, 1, 28, 28], float.PositiveInfinity), [1, 28, 28], ScalarType.Float32),
            "shape" => new Delegated(zeros([3, 1, 27, 28], ScalarType.Byte), [1, 27, 28], ScalarType.Byte),
            "lying shape" => new Delegated(zeros([3, 1, 27, 28], ScalarType.Byte), [1, 28, 28], ScalarType.Byte),
            "dtype" => new Delegated(zeros([3, 1, 28, 28], ScalarType.Int64), [1, 28, 28], ScalarType.Int64),
            "target dtype" => new Delegated(zeros([3, 1, 28, 28], ScalarType.Byte), [1, 28, 28], ScalarType.Byte, zeros(1)),
            "target codes" => new Delegated(zeros([3, 1, 28, 28], ScalarType.Byte), [1, 28, 28], ScalarType.Byte, code: 4),
            "mixed dtype" => new Delegated(zeros([3, 1, 28, 28]), [1, 28, 28], ScalarType.Float32),
            _ => SubsetSource.WithLabels(s_train, ["2"]),
        };
        var problem = Assert.Throws<ArgumentException>(() => learner.Teach(new Experience(what == "duplicate" ? 0 : 1, source)));
        Assert.Contains(message, problem.Message);
        Assert.Equal(before, Scores(learner));
        Assert.Equal(2, learner.Context.Classes.Count);
        learner.Teach(new Experience(2, SubsetSource.WithLabels(s_train, ["2"])));
    }

    [Fact]
    public void A_stream_of_blurry_boundaries_and_one_of_classes_that_come_back_are_learnt()
    {
        var groups = ClassGroups.Split(Label.Numbers(0, 10), 5);
        var train = SubsetSource.Balanced(TestData.Mnist.Train, 100);
        foreach (var stream in new[]
        {
            ExperienceStream.Blurry(train, s_test, groups, blur: 0.3, seed: 1),
            ExperienceStream.WithRepetition(train, s_test, count: 20, classes: 3, seed: 1),
        })
        {
            using var learner = Digits(new LearnerOptions { Epochs = 4, BatchSize = 10 }, new Replay());
            foreach (var experience in stream.Experiences) learner.Teach(experience);
            Assert.Equal(10, learner.Context.Model.Head.ClassCount);
            Assert.InRange(Evaluator.Accuracy(learner, s_test), 0.7, 1);
        }
    }

    [Fact]
    public void A_first_experience_that_does_not_fit_the_backbone_is_refused_and_another_can_come()
    {
        using var learner = Digits();
        using var scope = NewDisposeScope();
        var narrow = new Delegated(zeros([3, 1, 27, 28], ScalarType.Byte), [1, 27, 28], ScalarType.Byte);
        var problem = Assert.Throws<ArgumentException>(() => learner.Teach(new Experience(0, narrow)));
        Assert.Contains("samples of shape [1, 27, 28] do not fit the model", problem.Message);
        Assert.Equal(0, learner.Context.Classes.Count);
        learner.Teach(new Experience(0, s_train));
    }

    [Fact]
    public void Empty_experiences_and_bad_tensors_are_refused_by_name()
    {
        Assert.Contains("experience 3 is empty", Assert.Throws<ArgumentException>(
            () => new Experience(3, new SubsetSource(s_train, []))).Message);
        using var scope = NewDisposeScope();
        Assert.Contains("inputs: NaN or infinite", Assert.Throws<ArgumentException>(
            () => TensorSource.OfClasses(full([1, 2], float.NaN), [0], ["a"])).Message);
        Assert.Contains("Int64, expected Byte or Float32", Assert.Throws<ArgumentException>(
            () => TensorSource.OfClasses(zeros([1, 2], ScalarType.Int64), [0], ["a"])).Message);
    }

    [Fact]
    public void Prediction_names_what_is_wrong_with_its_inputs()
    {
        using var learner = Digits(new LearnerOptions { InitialLabels = Label.Numbers(0, 10) });
        using var scope = NewDisposeScope();
        Assert.Contains("nothing was learnt yet", Assert.Throws<InvalidOperationException>(
            () => learner.Predict(zeros(1, 1, 28, 28))).Message);
        learner.Teach(new Experience(0, s_train));
        Assert.Contains("[1, 1, 27, 28], expected [batch, 1, 28, 28]", Assert.Throws<ArgumentException>(
            () => learner.Predict(zeros([1, 1, 27, 28], ScalarType.Byte))).Message);
        Assert.Contains("Int64, expected Byte or Float32", Assert.Throws<ArgumentException>(
            () => learner.Predict(zeros([1, 1, 28, 28], ScalarType.Int64))).Message);
        using var ofFloats = Digits();
        ofFloats.Teach(new Experience(0, TensorSource.OfClasses(zeros(2, 1, 28, 28), [0, 1], ["a", "b"])));
        Assert.Contains("NaN or infinite", Assert.Throws<ArgumentException>(
            () => ofFloats.Predict(full([1, 1, 28, 28], float.PositiveInfinity))).Message);
    }

    [Theory]
    [InlineData(ScalarType.Byte, ScalarType.Float32)]
    [InlineData(ScalarType.Float32, ScalarType.Byte)]
    public void Prediction_takes_samples_of_the_type_that_was_learnt(ScalarType learnt, ScalarType other)
    {
        using var scope = NewDisposeScope();
        using var learner = new Learner(() => new ContinualModel(new Mlp(4, 3)));
        var samples = tensor(new float[] { 1, 2, 3, 4, 250, 251, 252, 253 }).view(2, 4);
        learner.Teach(new Experience(0, TensorSource.OfClasses(samples.to(learnt), [0, 1], ["a", "b"])));
        var (right, wrong) = (samples.to(learnt), samples.to(other));
        using var folder = new TemporaryFolder();
        Bundle.Save(learner, folder["bundle"]);
        using var loaded = Bundle.Load(folder["bundle"], () => new ContinualModel(new Mlp(4, 3)));
        using var model = Bundle.LoadModel(folder["bundle"]);
        foreach (var predict in new Func<Tensor, Prediction>[] { t => learner.Predict(t), t => loaded.Predict(t), t => model.Predict(t) })
        {
            predict(right).Dispose();
            var refusal = Assert.Throws<ArgumentException>(() => predict(wrong));
            Assert.StartsWith($"inputs: {other}, expected {learnt} as was learnt", refusal.Message, StringComparison.Ordinal);
            Assert.Equal("inputs", refusal.ParamName);
        }
        var mixed = new Experience(
            1, TensorSource.OfClasses(right, [0, 1], ["a", "b"]), validation: TensorSource.OfClasses(samples.to(other), [0, 1], ["a", "b"]));
        Assert.Contains($"validation: Classes of {other} [4], expected Classes of {learnt} [4] as in training",
            Assert.Throws<ArgumentException>(() => learner.Teach(mixed)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_mechanism_whose_learner_was_refused_can_be_given_to_another()
    {
        var (used, fresh) = (new Replay(), new ElasticWeightConsolidation());
        using var first = Digits(null, used);
        Assert.Contains("replay already belongs to another learner", Assert.Throws<ArgumentException>(
            () => Digits(null, fresh, used)).Message, StringComparison.Ordinal);
        var (aligning, before) = (new WeightAligning(), new Replay());
        Assert.Contains("head", Assert.Throws<ArgumentException>(() => new Learner(
            () => new ContinualModel(new Mlp(784, 32), new CosineHead(32)), null, [before, aligning])).Message, StringComparison.Ordinal);
        using var second = Digits(null, fresh, before, aligning);
        second.Teach(new Experience(0, s_train));
        Assert.Equal(200, before.SamplesStored);
        Assert.Contains("ewc already belongs to another learner", Assert.Throws<ArgumentException>(
            () => Digits(null, fresh)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_and_mechanisms_out_of_place_are_refused_by_name()
    {
        Assert.Contains("Capacity: 0, expected 1 or more", Assert.Throws<ArgumentException>(
            () => new Replay(new ReplayOptions { Capacity = 0 })).Message);
        Assert.Contains("Lambda: -1, expected 0 or more", Assert.Throws<ArgumentException>(
            () => new ElasticWeightConsolidation(new EwcOptions { Lambda = -1 })).Message);
        var shared = new Replay();
        using var first = Digits(null, shared);
        Assert.Contains("replay already belongs to another learner", Assert.Throws<ArgumentException>(
            () => Digits(null, shared)).Message);
        first.Teach(new Experience(0, s_train));
        Assert.Contains("expected none in task-incremental learning", Assert.Throws<ArgumentException>(() => Digits(
            new LearnerOptions { Scenario = Scenario.TaskIncremental, InitialLabels = ["0"] })).Message);
    }

    [Fact]
    public void Initial_labels_get_their_outputs_before_the_first_step_and_others_when_they_come()
    {
        using var learner = Digits(new LearnerOptions { InitialLabels = Label.Numbers(0, 9) });
        learner.Teach(new Experience(0, SubsetSource.WithLabels(s_train, ["5"])));
        Assert.Equal((9, 5), (learner.Context.Model.Head.ClassCount, learner.Context.Classes.IdOf("5")));
        Assert.Equal([5], learner.Context.ClassIds);
        learner.Teach(new Experience(1, SubsetSource.WithLabels(s_train, ["9"])));
        Assert.Equal(10, learner.Context.Model.Head.ClassCount);
    }

    [Fact]
    public void Labels_may_be_strings_classes_unequal_and_test_labels_unknown()
    {
        var named = new RelabelledSource(s_train, label => $"digit {label}");
        using var learner = Digits(new LearnerOptions { Epochs = 10 });
        learner.Teach(new Experience(0, SubsetSource.WithLabels(named, ["digit 0", "digit 1", "digit 2"])));
        learner.Teach(new Experience(1, SubsetSource.WithLabels(named, ["digit 7"])));
        var test = s_test.Map(digits => new RelabelledSource(digits, label => $"digit {label}"));
        var (truth, predicted) = learner.PredictAll(test);
        Assert.Equal(60, truth.Count(id => id < 0));
        Assert.All(predicted, id => Assert.InRange(id, 0, 3));
        Assert.Equal(Evaluator.Accuracy(learner, test), truth.Zip(predicted).Count(p => p.First == p.Second) / 100.0);
        using var scope = NewDisposeScope();
        Assert.StartsWith("digit", learner.Predict(s_test.Inputs([0])).Labels[0].Name);
    }

    [Fact]
    public void Domain_incremental_learning_keeps_one_set_of_outputs()
    {
        var stream = ExperienceStream.DomainIncremental(
            s_train, s_test, ClassGroups.Split(Label.Numbers(0, 10), 5));
        using var learner = Digits(new LearnerOptions { Scenario = Scenario.DomainIncremental });
        foreach (var experience in stream.Experiences) learner.Teach(experience);
        Assert.Equal(2, learner.Context.Model.Head.ClassCount);
        using var multi = Digits(new LearnerOptions { Scenario = Scenario.TaskIncremental });
        foreach (var experience in ExperienceStream.FromDomains(
            [.. stream.Experiences.Zip(stream.Tests, (e, t) => new Domain(e.Name, e.Train, t))], withTasks: true).Experiences)
            multi.Teach(experience);
        Assert.Equal(10, multi.Context.Model.Head.ClassCount);
        using var scope = NewDisposeScope();
        var scores = multi.Scores(s_test.Inputs([0]), 3).data<float>().ToArray();
        Assert.Equal([6, 7], Enumerable.Range(0, 10).Where(id => float.IsFinite(scores[id])));
    }
}
