using System.Text.Json;

namespace Engram.Client;

/// <summary>What a learner is: its inputs, its model, when it learns and what a new version must show.</summary>
/// <remarks>
/// What has a default can be set, not only initialised, here and in its parts: for members that are initialised only, source-generated reading
/// puts zero and null in place of the defaults.
/// </remarks>
public sealed record LearnerSpecification
{
    /// <summary>Name in addresses: 1 to 64 of a-z, 0-9, '-' and '_', beginning with a letter or digit.</summary>
    public required string Name { get; init; }

    /// <summary>What it is for, in words.</summary>
    /// <value>Default empty.</value>
    public string Description { get; set; } = "";

    /// <summary>What one input is.</summary>
    public required InputSchema Input { get; init; }

    /// <summary>What predicts and how it learns.</summary>
    /// <value>Default ridge regression in closed form.</value>
    public ModelSpecification Model { get; set; } = new();

    /// <summary>When it learns, and from what.</summary>
    public LearningPolicy Learning { get; set; } = new();

    /// <summary>What a candidate must show before it is published.</summary>
    public GateSpecification Gate { get; set; } = new();

    /// <summary>What is kept, and how long.</summary>
    public RetentionPolicy Retention { get; set; } = new();

    /// <summary>Seed of everything that is left to chance.</summary>
    /// <value>Default 0.</value>
    public int Seed { get; set; }
}

/// <summary>Kinds of input.</summary>
public enum InputKind
{
    /// <summary>An array of <see cref="InputSchema.Size"/> numbers.</summary>
    Vector,

    /// <summary>
    /// An image: <c>{"pixels": base64 of channels × height × width bytes}</c>, <c>{"file": base64 of a PNG or JPEG}</c>, or an array
    /// of numbers from 0 to 255 in the same order.
    /// </summary>
    Image,

    /// <summary>A string, read as hashed n-grams of words and characters, or by <see cref="InputSchema.Encoder"/> where one is named.</summary>
    Text,

    /// <summary>An object with a value for each column; a missing column or null is a missing value.</summary>
    Tabular,

    /// <summary>An array of numbers that an ONNX model of the user's turns into features.</summary>
    Onnx,
}

/// <summary>What one input is, and how it becomes numbers.</summary>
public sealed record InputSchema
{
    /// <summary>The kind.</summary>
    public required InputKind Kind { get; init; }

    /// <summary>Numbers in a vector, or in one input of an ONNX encoder.</summary>
    public int? Size { get; set; }

    /// <summary>Channels of an image: 1 or 3.</summary>
    /// <value>Default 1.</value>
    public int Channels { get; set; } = 1;

    /// <summary>Rows of an image.</summary>
    public int? Height { get; set; }

    /// <summary>Columns of an image.</summary>
    public int? Width { get; set; }

    /// <summary>Features that n-grams of a text are hashed into, a power of two from 256 to 65,536.</summary>
    /// <value>Default 2,048: ridge regression over twice as many keeps four times the statistics.</value>
    public int Features { get; set; } = 2048;

    /// <summary>Longest n-gram of words.</summary>
    /// <value>Default 2; 0 for none.</value>
    public int WordNgrams { get; set; } = 2;

    /// <summary>Longest n-gram of characters, from 3 on (from 1 on in Chinese); they make words with other endings, and languages without spaces, alike.</summary>
    /// <value>Default 4; 0 for none.</value>
    public int CharacterNgrams { get; set; } = 4;

    /// <summary>Columns of a table, in order.</summary>
    public IReadOnlyList<ColumnSchema> Columns { get; set; } = [];

    /// <summary>Name of an ONNX file in the service's <c>encoders</c> folder, whose first output gives features.</summary>
    /// <remarks>
    /// For <see cref="InputKind.Onnx"/> its first input takes [batch, size] or [batch, ...] numbers. For <see cref="InputKind.Text"/> it takes
    /// strings, or the <c>input_ids</c> (and <c>attention_mask</c>, <c>token_type_ids</c>) of BERT and sentence transformers, whose vocabulary
    /// lies beside it: <c>minilm.vocab.txt</c> for <c>minilm.onnx</c>.
    /// </remarks>
    public string? Encoder { get; set; }
}

/// <summary>Kinds of column.</summary>
public enum ColumnKind
{
    /// <summary>A number, standardised.</summary>
    Numeric,

    /// <summary>A word from a small set.</summary>
    Categorical,
}

/// <summary>A column of a table.</summary>
public sealed record ColumnSchema
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Its kind.</summary>
    public ColumnKind Kind { get; set; }

    /// <summary>Mean of a numeric column. With <see cref="Scale"/> missing too, both are measured on the first feedback that is learnt.</summary>
    public double? Mean { get; set; }

    /// <summary>Standard deviation of a numeric column.</summary>
    public double? Scale { get; set; }

    /// <summary>The values of a categorical column; others are hashed into <see cref="Buckets"/>.</summary>
    public IReadOnlyList<string> Values { get; set; } = [];

    /// <summary>Places for values not listed.</summary>
    /// <value>Default 16.</value>
    public int Buckets { get; set; } = 16;
}

/// <summary>What predicts and how it learns.</summary>
public sealed record ModelSpecification
{
    /// <summary>
    /// <c>ridge</c>, <c>ranpac</c>, <c>slda</c>, <c>fecam</c>, <c>ncm</c>: closed forms, exact, without a stored sample. <c>network</c>: trained by gradients with the mechanisms of
    /// <see cref="Strategy"/>.
    /// </summary>
    /// <value>Default <c>ridge</c>.</value>
    public string Kind { get; set; } = "ridge";

    /// <summary>Closed forms: random ReLU features in front, 0 for the inputs as they are.</summary>
    /// <value>Default: 2,000 for ranpac, else 0.</value>
    public int? RandomFeatures { get; set; }

    /// <summary>Closed forms over images: filters learnt from the first images without labels; 0 for none.</summary>
    /// <value>Default 0.</value>
    public int PatchFilters { get; set; }

    /// <summary>λ of ridge regression.</summary>
    /// <value>Default: chosen by the learner's own default.</value>
    public double? Lambda { get; set; }

    /// <summary>Networks: a strategy by the name that <c>engram run digits --help</c> lists.</summary>
    /// <value>Default <c>replay</c>.</value>
    public string Strategy { get; set; } = "replay";

    /// <summary>
    /// Networks: mechanisms in order, instead of a <see cref="Strategy"/>, as in a file of <c>engram run</c>: names, or one name with its options, for example
    /// <c>[{"ewc": {"lambda": 100}}, "replay"]</c>. Each has defaults of its own: <see cref="Memory"/> is for strategies.
    /// </summary>
    /// <value>Default none: those of the strategy.</value>
    public IReadOnlyList<JsonElement> Mechanisms { get; set; } = [];

    /// <summary>Networks: <c>mlp</c> or, for images of 28 × 28 in grey, <c>digits-cnn</c>.</summary>
    /// <value>Default <c>mlp</c>.</value>
    public string Backbone { get; set; } = "mlp";

    /// <summary>Networks: units of each hidden layer of an MLP.</summary>
    /// <value>Default 400, 400.</value>
    public IReadOnlyList<int> Hidden { get; set; } = [400, 400];

    /// <summary>Networks: samples that the strategy may store.</summary>
    /// <value>Default 1,000.</value>
    public int Memory { get; set; } = 1000;

    /// <summary>Networks: passes over new feedback; more where it is so little that they make fewer than 200 steps.</summary>
    /// <value>Default 10.</value>
    public int Epochs { get; set; } = 10;

    /// <summary>Networks: new samples per step.</summary>
    /// <value>Default 32.</value>
    public int BatchSize { get; set; } = 32;

    /// <summary>Networks: learning rate of Adam.</summary>
    /// <value>Default 1e-3.</value>
    public double LearningRate { get; set; } = 1e-3;
}

/// <summary>When a learner learns, and from what.</summary>
public sealed record LearningPolicy
{
    /// <summary>Learn when this many labelled samples wait; 0 never by count.</summary>
    /// <value>Default 50.</value>
    public int EverySamples { get; set; } = 50;

    /// <summary>Learn when the oldest waiting sample is this old, in seconds; 0 never by time.</summary>
    /// <value>Default 0.</value>
    public double EverySeconds { get; set; }

    /// <summary>Learn when drift is detected and anything waits.</summary>
    /// <value>Default false.</value>
    public bool OnDrift { get; set; }

    /// <summary>Share of one core that learning may take, above 0 to 1.</summary>
    /// <value>Default 0.5.</value>
    public double CpuShare { get; set; } = 0.5;

    /// <summary>Share of labelled feedback held out from learning for ever, to examine candidates: 0 to 0.5.</summary>
    /// <value>Default 0.1.</value>
    public double HoldOut { get; set; } = 0.1;

    /// <summary>Most samples learnt at a time; the rest waits for the next candidate.</summary>
    /// <value>Default 10,000.</value>
    public int MaxSamples { get; set; } = 10_000;
}

/// <summary>Who decides that a candidate is published.</summary>
public enum GateMode
{
    /// <summary>The gate alone.</summary>
    Automatic,

    /// <summary>A person, after the gate.</summary>
    Staged,

    /// <summary>Nobody: learn and compare, never publish.</summary>
    Observe,
}

/// <summary>What a candidate must show before it is published.</summary>
/// <remarks>
/// A fall counts only where it is larger than chance: than one standard error of the difference of two versions on the same held-out
/// samples, and for classes, K of them judged together, than √(2 ln K) standard errors, where the largest of K chance falls is expected.
/// </remarks>
public sealed record GateSpecification
{
    /// <summary>Who decides.</summary>
    public GateMode Mode { get; set; }

    /// <summary>Least accuracy on held-out feedback.</summary>
    /// <value>Default 0: only compared with the published version.</value>
    public double MinAccuracy { get; set; }

    /// <summary>Most that accuracy on held-out feedback may fall below the published version's.</summary>
    /// <value>Default 0.02.</value>
    public double MaxAccuracyDrop { get; set; } = 0.02;

    /// <summary>Most that the accuracy of any class that the published version knows may fall (recall on held-out feedback).</summary>
    /// <value>Default 0.1.</value>
    public double MaxClassDrop { get; set; } = 0.1;

    /// <summary>Held-out samples that a class needs for its recall to be judged.</summary>
    /// <value>Default 10.</value>
    public int MinClassSamples { get; set; } = 10;

    /// <summary>Largest expected calibration error on held-out feedback; 1 for no bound.</summary>
    /// <value>Default 1.</value>
    public double MaxCalibrationError { get; set; } = 1;

    /// <summary>Longest prediction of one sample (median), in milliseconds; 0 for no bound.</summary>
    /// <value>Default 0.</value>
    public double MaxLatencyMs { get; set; }

    /// <summary>Whether a candidate answers beside the published version, unseen, before it is published.</summary>
    /// <value>Default 0: that many live predictions are compared before publishing.</value>
    public int ShadowPredictions { get; set; }

    /// <summary>Percentage of predictions that a new version answers at first; 0 for all at once.</summary>
    /// <value>Default 0.</value>
    public double CanaryPercent { get; set; }

    /// <summary>Labelled canary predictions needed to decide whether it becomes the champion or steps back.</summary>
    /// <value>Default 50.</value>
    public int CanarySamples { get; set; } = 50;

    /// <summary>Longest that a version is compared or tried; it is refused when too little is known by then, and learning goes on.</summary>
    /// <value>Default 24 hours.</value>
    public double TrialHours { get; set; } = 24;

    /// <summary>Step back to the version before when live feedback says that the new one is this much worse.</summary>
    /// <remarks>
    /// Looked at when <see cref="CanarySamples"/>, and twice, four and eight times as many predictions of the new version were judged, and only for
    /// versions that the service published itself. Where true labels come, the version before answers the same inputs again, so that a change
    /// of what is asked is held against neither; where only rewards come, its last predictions are compared.
    /// </remarks>
    /// <value>Default 0.1; 1 never.</value>
    public double StepBackDrop { get; set; } = 0.1;
}

/// <summary>What is kept, and how long.</summary>
public sealed record RetentionPolicy
{
    /// <summary>Hours that predictions wait for their feedback, and feedback for its prediction.</summary>
    /// <value>Default 168, a week.</value>
    public double PredictionHours { get; set; } = 168;

    /// <summary>Most predictions that wait for their feedback; older ones are dropped.</summary>
    /// <value>Default 1,000,000.</value>
    public int MaxPredictions { get; set; } = 1_000_000;

    /// <summary>Days that feedback is kept, learnt or not; null keeps it. A version that must be trained anew, or is rolled back to, learns again what is kept.</summary>
    /// <value>Default null.</value>
    public double? FeedbackDays { get; set; }

    /// <summary>Versions kept besides those with an alias or a pin.</summary>
    /// <value>Default 20.</value>
    public int Versions { get; set; } = 20;
}
